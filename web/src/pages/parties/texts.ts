import { area } from '$lib/i18n/index.svelte'
import { parties as en } from '$lib/i18n/en/parties'
import { parties as fr } from '$lib/i18n/fr/parties'

/** The texts of customers and suppliers. */
export const tt = area({ en, fr })
