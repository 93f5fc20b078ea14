// What the pickers look up.
import { query } from '$lib/api/client'
import { fmt } from '$lib/i18n/index.svelte'
import {
  FindAccountsDocument,
  FindCustomersDocument,
  FindItemsDocument,
  FindSuppliersDocument,
  TaxCodesDocument,
  type FindAccountsQuery,
  type ItemChoiceFragment,
  type PartyChoiceFragment,
  type TaxCodesQuery,
} from '$gql/lib/documents/pickers'

export type { ItemChoiceFragment as ItemChoice, PartyChoiceFragment as PartyChoice } from '$gql/lib/documents/pickers'
export type AccountChoice = FindAccountsQuery['accounts']['edges'][number]['node']
export type TaxChoice = TaxCodesQuery['taxCodes']['edges'][number]['node']

const party = (value: PartyChoiceFragment) => ({ id: value.id, label: value.name, hint: value.address.city ?? undefined, value })

export async function customers(prefix: string, signal: AbortSignal) {
  const { parties } = await query(FindCustomersDocument, { prefix: prefix || undefined }, { signal })
  return parties.edges.map(({ node }) => party(node))
}

export async function suppliers(prefix: string, signal: AbortSignal) {
  const { parties } = await query(FindSuppliersDocument, { prefix: prefix || undefined }, { signal })
  return parties.edges.map(({ node }) => party(node))
}

/** Items by the beginning of their name, and the one with just that code. */
export async function items(text: string, signal: AbortSignal) {
  const code = text.toUpperCase()
  const { named, coded } = await query(FindItemsDocument, { prefix: text || undefined, code: code || undefined }, { signal })
  const found = new Map<string, ItemChoiceFragment>()
  for (const { node } of [...(text ? coded.edges : []), ...named.edges]) found.set(node.id, node)
  return [...found.values()].map((value) => ({
    id: value.id,
    label: value.name,
    hint: `${value.code} · ${fmt.money(value.unitPrice, value.currency)}`,
    value,
  }))
}

export async function accounts(prefix: string, signal: AbortSignal) {
  const { accounts } = await query(FindAccountsDocument, { prefix: prefix || '6' }, { signal })
  return accounts.edges.map(({ node }) => ({ id: node.id, label: `${node.number} ${node.name}`, value: node }))
}

/** The tax codes in use; few enough to be read at once. */
export async function taxCodes(): Promise<TaxChoice[]> {
  const { taxCodes } = await query(TaxCodesDocument, {})
  return taxCodes.edges.map(({ node }) => node)
}
