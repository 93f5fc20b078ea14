import { auth as en } from '$lib/i18n/en/auth'
import { auth as fr } from '$lib/i18n/fr/auth'
import { area } from '$lib/i18n/index.svelte'

export const t = area({ en, fr })
