import { pick } from '$lib/i18n/index.svelte'
import { tt } from './texts'

/** An account's name in the reader's language, where it has one. */
export function accountName({ name, nameEn }: { name: string; nameEn: string | null }): string {
  return pick({ fr: name, en: nameEn ?? name })
}

/** What people call an entry: journal and number, e.g. `VE 42`. */
export function entryName({ number, journal }: { number: number | null; journal: { code: string } }): string {
  return number === null ? `${journal.code} · ${tt('entry.draft')}` : `${journal.code} ${number}`
}
