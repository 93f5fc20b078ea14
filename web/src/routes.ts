// Which page shows which path. Each page is a chunk of its own, loaded when it is come to.
import type { Component } from 'svelte'

/** What each page gets: what stands in the place of `:name` in its path. */
export interface PageProps {
  params: Record<string, string>
}
type Load = () => Promise<{ default: Component<never> }>

export interface Route {
  load: Load
  /** For who is signed out: without the frame of the console. */
  open?: boolean
}

const dashboard: Load = () => import('./pages/dashboard/Dashboard.svelte')
const invoices: Load = () => import('./pages/invoices/Invoices.svelte')
const bills: Load = () => import('./pages/bills/Bills.svelte')
const parties: Load = () => import('./pages/parties/Parties.svelte')
const settings: Load = () => import('./pages/settings/Settings.svelte')

// What is more exact comes first: `/invoices/new` before `/invoices/:id`. A list and its things share a component, which
// stays as it is when one of them opens beside the list.
export const routes: readonly (readonly [string, Route])[] = [
  ['/', { load: dashboard }],
  ['/dashboards/:id', { load: dashboard }],
  ['/kpis', { load: () => import('./pages/kpis/Kpis.svelte') }],
  ['/kpis/new', { load: () => import('./pages/kpis/KpiEdit.svelte') }],
  ['/kpis/:key/edit', { load: () => import('./pages/kpis/KpiEdit.svelte') }],
  ['/kpis/:key', { load: () => import('./pages/kpis/Kpi.svelte') }],
  ['/alerts', { load: () => import('./pages/alerts/Alerts.svelte') }],
  ['/invoices', { load: invoices }],
  ['/invoices/new', { load: () => import('./pages/invoices/InvoiceNew.svelte') }],
  ['/invoices/:id/edit', { load: () => import('./pages/invoices/InvoiceNew.svelte') }],
  ['/invoices/:id', { load: invoices }],
  ['/bills', { load: bills }],
  ['/bills/new', { load: () => import('./pages/bills/BillNew.svelte') }],
  ['/bills/:id', { load: bills }],
  ['/approvals', { load: () => import('./pages/approvals/Approvals.svelte') }],
  ['/ledger', { load: () => import('./pages/ledger/TrialBalance.svelte') }],
  ['/ledger/accounts/:id', { load: () => import('./pages/ledger/Account.svelte') }],
  ['/ledger/entries', { load: () => import('./pages/ledger/Entries.svelte') }],
  ['/ledger/years', { load: () => import('./pages/ledger/Years.svelte') }],
  ['/ledger/entries/:id', { load: () => import('./pages/ledger/Entry.svelte') }],
  ['/parties', { load: parties }],
  ['/parties/:id', { load: parties }],
  ['/settings', { load: settings }],
  ['/settings/:section', { load: settings }],
  ['/companies/new', { load: () => import('./pages/auth/NewCompany.svelte') }],
  ['/sign-in', { load: () => import('./pages/auth/SignIn.svelte'), open: true }],
  ['/sign-up', { load: () => import('./pages/auth/SignUp.svelte'), open: true }],
  ['/join', { load: () => import('./pages/auth/Join.svelte'), open: true }],
  ['/embed/:token', { load: () => import('./pages/embed/Embed.svelte'), open: true }],
]
