import { alerts as en } from '$lib/i18n/en/alerts'
import { alerts as fr } from '$lib/i18n/fr/alerts'
import { area } from '$lib/i18n/index.svelte'

/** The texts of alerts. */
export const t = area({ en, fr })
