import { area } from '$lib/i18n/index.svelte'
import { approvals as en } from '$lib/i18n/en/approvals'
import { approvals as fr } from '$lib/i18n/fr/approvals'

/** The texts of the inbox. */
export const tt = area({ en, fr })
