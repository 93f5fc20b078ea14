import { area } from '$lib/i18n/index.svelte'
import { people as en } from '$lib/i18n/en/people'
import { people as fr } from '$lib/i18n/fr/people'

/** The texts of people, roles and the company. */
export const tt = area({ en, fr })
