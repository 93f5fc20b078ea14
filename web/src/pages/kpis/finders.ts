import { query } from '$lib/api/client'
import { FilterAccountsDocument, FilterPartiesDocument } from '$gql/pages/kpis/finders'

interface Found {
  id: string
  label: string
  value: { id: string; name: string }
}

/** Customers and suppliers by the beginning of their name. */
export async function parties(typed: string, signal: AbortSignal): Promise<Found[]> {
  const { parties: found } = await query(FilterPartiesDocument, { prefix: typed || undefined }, { signal })
  return found.edges.map(({ node }) => ({ id: node.id, label: node.name, value: { id: node.id, name: node.name } }))
}

/** Accounts by the beginning of their code. */
export async function accounts(typed: string, signal: AbortSignal): Promise<Found[]> {
  const { accounts: found } = await query(FilterAccountsDocument, { prefix: typed || undefined }, { signal })
  return found.edges.map(({ node }) => {
    const name = `${node.number} ${node.name}`
    return { id: node.id, label: name, value: { id: node.id, name } }
  })
}
