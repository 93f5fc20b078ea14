import { area } from '$lib/i18n/index.svelte'
import { ledger as en } from '$lib/i18n/en/ledger'
import { ledger as fr } from '$lib/i18n/fr/ledger'

/** The texts of the ledger. */
export const tt = area({ en, fr })
