import type { BillListQueryVariables } from '$gql/pages/bills/list'
import { day, flag, one, some, text } from '$lib/documents/query'

type Filter = NonNullable<BillListQueryVariables['filter']>
type Order = BillListQueryVariables['orderBy']

export const STATES = ['RECEIVED', 'APPROVED', 'REJECTED', 'POSTED'] as const
export const KINDS = ['BILL', 'CREDIT_NOTE'] as const
export const PAYMENTS = ['OPEN', 'PARTLY_PAID', 'OVERDUE', 'PAID', 'CREDITED'] as const
export const SOURCES = ['MANUAL', 'CII', 'UBL'] as const
export const ORDERS = ['NEWEST', 'DUE_DATE'] as const
/** The keys of the query that narrow the list. */
export const KEYS = [
  'state', 'kind', 'payment', 'supplier', 'source', 'findings', 'q', 'issuedFrom', 'issuedTo', 'dueFrom', 'dueTo',
] as const

export function filterOf(query: URLSearchParams): Filter {
  const states = some(query, 'state', STATES)
  return {
    states: states.length > 0 ? states : undefined,
    kind: one(query, 'kind', KINDS),
    paymentState: one(query, 'payment', PAYMENTS),
    supplierId: text(query, 'supplier'),
    source: one(query, 'source', SOURCES),
    hasFindings: flag(query, 'findings'),
    numberPrefix: text(query, 'q'),
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
  { label: 'view.toApprove', query: 'sort=DUE_DATE&state=RECEIVED', counted: true },
  { label: 'view.toPost', query: 'state=APPROVED', counted: true },
  { label: 'view.toPay', query: 'payment=OPEN&sort=DUE_DATE' },
  { label: 'view.overdue', query: 'payment=OVERDUE&sort=DUE_DATE', counted: true },
  { label: 'view.findings', query: 'findings=yes' },
  { label: 'view.rejected', query: 'state=REJECTED' },
] as const
