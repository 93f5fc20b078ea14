// What the palette finds through the API: parties by name, documents by number, anything by its id.
import { query } from '$lib/api/client'
import { fmt } from '$lib/i18n/index.svelte'
import type { Action } from '$lib/palette.svelte'
import { go } from '$lib/router.svelte'
import { session } from '$lib/session.svelte'
import type { IconName } from './Icon.svelte'
import { FindDocument } from '$gql/ui/find'

export interface Found extends Action {
  icon: IconName
}

/** Where things are shown, by the kind that their ids begin with. */
const PLACES: Record<string, string> = {
  invoice: '/invoices/',
  bill: '/bills/',
  party: '/parties/',
  account: '/ledger/accounts/',
  journal_entry: '/ledger/entries/',
  dashboard: '/dashboards/',
}

/** The path of a thing by its id; null for what has no page, and for what is no id. */
export function pathOf(text: string): string | null {
  const [, kind = ''] = /^(?:test_)?([a-z_]+)_[0-9a-hjkmnp-tv-z]{26}$/.exec(text.trim()) ?? []
  const place = PLACES[kind]
  return place ? place + text.trim() : null
}

export async function find(text: string, signal: AbortSignal): Promise<Found[]> {
  const rights = {
    parties: session.can('parties.read'),
    invoices: session.can('invoicing.read'),
    bills: session.can('bills.read'),
  }
  if (!Object.values(rights).some(Boolean)) return []
  const found = await query(FindDocument, { text, ...rights }, { signal })
  const to = (icon: IconName, path: string, label: string, hint: string): Found => ({
    id: path,
    icon,
    label,
    hint,
    run: () => go(path),
  })
  const sum = ({ amount, currency }: { amount: string; currency: string }) => fmt.money(amount, currency)
  return [
    ...(found.parties?.edges ?? []).map(({ node }) => to('parties', `/parties/${node.id}`, node.name, '')),
    ...(found.invoices?.edges ?? []).map(({ node }) =>
      to('invoice', `/invoices/${node.id}`, node.number ?? '–', `${node.customer?.name ?? ''} · ${sum(node.total)}`),
    ),
    ...(found.bills?.edges ?? []).map(({ node }) =>
      to('bill', `/bills/${node.id}`, node.number, `${node.supplier?.name ?? ''} · ${sum(node.total)}`),
    ),
  ]
}
