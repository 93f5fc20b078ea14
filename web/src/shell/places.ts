// Where the navigation leads, and what one needs to find something there.
import type { IconName } from '$ui/Icon.svelte'

export interface Place {
  path: string
  name:
    | 'nav.dashboard'
    | 'nav.alerts'
    | 'nav.invoices'
    | 'nav.bills'
    | 'nav.approvals'
    | 'nav.ledger'
    | 'nav.parties'
    | 'nav.settings'
  icon: IconName
  /** The key after `g`. */
  key: string
  right?: string
  /** A heading before it. */
  group?: 'nav.group.documents' | 'nav.group.books'
}

export const places: readonly Place[] = [
  { path: '/', name: 'nav.dashboard', icon: 'dashboard', key: 'd', right: 'kpi.read' },
  { path: '/alerts', name: 'nav.alerts', icon: 'alert', key: 'n', right: 'kpi.read' },
  { path: '/invoices', name: 'nav.invoices', icon: 'invoice', key: 'i', right: 'invoicing.read', group: 'nav.group.documents' },
  { path: '/bills', name: 'nav.bills', icon: 'bill', key: 'b', right: 'bills.read' },
  { path: '/approvals', name: 'nav.approvals', icon: 'approve', key: 'a', right: 'bills.read' },
  { path: '/ledger', name: 'nav.ledger', icon: 'ledger', key: 'l', right: 'ledger.read', group: 'nav.group.books' },
  { path: '/parties', name: 'nav.parties', icon: 'parties', key: 'p', right: 'parties.read' },
  { path: '/settings', name: 'nav.settings', icon: 'settings', key: 's' },
]
