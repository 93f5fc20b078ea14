import { boards as en } from '$lib/i18n/en/boards'
import { boards as fr } from '$lib/i18n/fr/boards'
import { area } from '$lib/i18n/index.svelte'

/** The texts of laying out and sharing dashboards. */
export const t = area({ en, fr })
