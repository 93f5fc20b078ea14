import { dashboard as en } from '$lib/i18n/en/dashboard'
import { dashboard as fr } from '$lib/i18n/fr/dashboard'
import { area } from '$lib/i18n/index.svelte'

/** The dashboard's texts. */
export const t = area({ en, fr })
