// Where an entry comes from, and where that can be looked at.
import type { LedgerEntryQuery } from '$gql/pages/ledger/ledger'
import { fmt } from '$lib/i18n/index.svelte'
import { tt } from './texts'

export type Entry = NonNullable<LedgerEntryQuery['journalEntry']>
type Source = NonNullable<Entry['source']>

/** In words, and the page that shows it, if there is one. */
export function sourceOf(source: Source): { text: string; href: string | null } | null {
  switch (source.__typename) {
    case 'Invoice': {
      const number = source.invoiceNumber ?? '–'
      const text = source.invoiceKind === 'CREDIT_NOTE' ? tt('entry.source_.CreditNote', { number }) : tt('entry.source_.Invoice', { number })
      return { text: withParty(text, source.customer), href: `/invoices/${source.id}` }
    }
    case 'Bill': {
      const number = source.billNumber
      const text = source.billKind === 'CREDIT_NOTE' ? tt('entry.source_.BillCredit', { number }) : tt('entry.source_.Bill', { number })
      return { text: withParty(text, source.supplier), href: `/bills/${source.id}` }
    }
    case 'Payment': {
      const date = fmt.date(source.paidOn)
      const text = source.direction === 'RECEIVED' ? tt('entry.source_.PaymentIn', { date }) : tt('entry.source_.PaymentOut', { date })
      return { text: withParty(text, source.party), href: source.party && `/parties/${source.party.id}` }
    }
    case 'Allocation': {
      const { invoice, bill } = source
      const number = invoice?.number ?? bill?.billNumber ?? '–'
      const href = invoice ? `/invoices/${invoice.id}` : bill ? `/bills/${bill.id}` : null
      return { text: tt('entry.source_.Allocation', { number }), href }
    }
    case 'FiscalYear':
      return { text: tt('entry.source_.FiscalYear', { name: source.name }), href: '/ledger/years' }
    default:
      return null
  }
}

function withParty(text: string, party: { name: string } | null): string {
  return party ? `${text} · ${party.name}` : text
}
