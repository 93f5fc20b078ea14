import { embed as en } from '$lib/i18n/en/embed'
import { embed as fr } from '$lib/i18n/fr/embed'
import { area } from '$lib/i18n/index.svelte'

/** The texts of what outsiders see. */
export const t = area({ en, fr })
