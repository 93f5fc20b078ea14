import { kpis as en } from '$lib/i18n/en/kpis'
import { kpis as fr } from '$lib/i18n/fr/kpis'
import { area } from '$lib/i18n/index.svelte'

/** The texts of figures and their records. */
export const t = area({ en, fr })
