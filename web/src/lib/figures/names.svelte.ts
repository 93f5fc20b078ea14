// What parties, accounts and journals are called, by their ids: a filter stores ids.
import { query } from '$lib/api/client'
import { NameOfDocument } from '$gql/lib/figures/names'

let known: Readonly<Record<string, string>> = $state.raw({})
const asked = new Set<string>()

/** The name of a thing; its id until the name has come, and where it may not be read. */
export function nameOf(id: string): string {
  if (!asked.has(id)) {
    asked.add(id)
    void query(NameOfDocument, { id })
      .then(({ node }) => {
        const parts = node && [
          'number' in node ? node.number : '',
          'name' in node ? node.name : '',
          'accountName' in node ? node.accountName : '',
          'journalName' in node ? node.journalName : '',
        ]
        const name = parts?.filter(Boolean).join(' ')
        if (name) known = { ...known, [id]: name }
      })
      // Who may not read it sees the id.
      .catch(() => undefined)
  }
  return known[id] ?? id
}

export const isId = (value: string): boolean => /^(test_)?(party|account|journal)_[0-9a-z]{26}$/.test(value)
