import { area } from '$lib/i18n/index.svelte'
import { security as en } from '$lib/i18n/en/security'
import { security as fr } from '$lib/i18n/fr/security'

export const s = area({ en, fr })
