import { terms as en } from '$lib/i18n/en/terms'
import { terms as fr } from '$lib/i18n/fr/terms'
import { area } from '$lib/i18n/index.svelte'
import { isId, nameOf } from './names.svelte'

type Kind = 'cube' | 'dimension' | 'quantity' | 'value'
const t = area({ en, fr })
const isKey = (key: string): key is keyof typeof en => key in en

/** What the API calls by a name, in the reader's language; the name itself where it has none. Ids are told by their names. */
export function term(kind: Kind, name: string): string {
  if (kind === 'value' && isId(name)) return nameOf(name)
  const key = `${kind}.${name}`
  return isKey(key) ? t(key) : name
}
