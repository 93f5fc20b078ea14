import type { InvoiceListQueryVariables } from '$gql/pages/invoices/list'
import { day, one, some, text } from '$lib/documents/query'

type Filter = NonNullable<InvoiceListQueryVariables['filter']>
type Order = InvoiceListQueryVariables['orderBy']

export const STATES = ['DRAFT', 'ISSUED', 'DISCARDED'] as const
export const KINDS = ['INVOICE', 'CREDIT_NOTE'] as const
export const PAYMENTS = ['OPEN', 'PARTLY_PAID', 'OVERDUE', 'PAID', 'CREDITED'] as const
export const ORDERS = ['NEWEST', 'ISSUE_DATE', 'DUE_DATE'] as const
/** The keys of the query that narrow the list. */
export const KEYS = ['state', 'kind', 'payment', 'customer', 'q', 'issuedFrom', 'issuedTo', 'dueFrom', 'dueTo'] as const

export function filterOf(query: URLSearchParams): Filter {
  const states = some(query, 'state', STATES)
  return {
    states: states.length > 0 ? states : undefined,
    kind: one(query, 'kind', KINDS),
    paymentState: one(query, 'payment', PAYMENTS),
    customerId: text(query, 'customer'),
    numberPrefix: text(query, 'q')?.toUpperCase(),
    issuedFrom: day(query, 'issuedFrom'),
    issuedTo: day(query, 'issuedTo'),
    dueFrom: day(query, 'dueFrom'),
    dueTo: day(query, 'dueTo'),
  }
}

export function orderOf(query: URLSearchParams): Order {
  return one(query, 'sort', ORDERS) ?? 'NEWEST'
}

/** Views that everybody has; `counted` ones show how many there are. */
export const BUILT_IN = [
  { label: 'view.all', query: '' },
  { label: 'view.drafts', query: 'state=DRAFT', counted: true },
  { label: 'view.unpaid', query: 'payment=OPEN&sort=DUE_DATE' },
  { label: 'view.overdue', query: 'payment=OVERDUE&sort=DUE_DATE', counted: true },
  { label: 'view.paid', query: 'payment=PAID&sort=ISSUE_DATE' },
  { label: 'view.credits', query: 'kind=CREDIT_NOTE' },
] as const
