import type { KpiRecordsQuery } from '$gql/pages/kpis/records'
import { t } from './texts'

type Node = NonNullable<KpiRecordsQuery['kpi']>['records']['edges'][number]['node']

/** A record behind a figure, as a row. */
export interface Row {
  id: string
  kind: string
  /** Its number or reference; empty when it has none. */
  name: string
  who: string
  day: string
  group: string
  amount: { amount: string; currency: string } | null
  part: number | null
  href: string
}

/** Where a payment is seen: at what it pays, else at its party. */
function paymentHref(payment: Extract<Node['record'], { __typename: 'Payment' }>): string {
  for (const { invoice, bill } of payment.allocations) {
    if (invoice) return `/invoices/${invoice.id}`
    if (bill) return `/bills/${bill.id}`
  }
  return payment.party ? `/parties/${payment.party.id}` : '/parties'
}

export function rowOf(node: Node, index: number): Row {
  const { record } = node
  const row: Row = {
    // A record counts more than once where it moved the figure more than once.
    id: `${node.recordId}:${node.day}:${node.group}:${index}`,
    kind: node.recordId.split('_')[0] ?? '',
    name: '',
    who: '',
    day: node.day,
    group: node.group,
    amount: node.amount,
    part: node.part,
    href: '',
  }
  switch (record?.__typename) {
    case 'Invoice':
      return { ...row, name: record.number ?? '', who: record.customer?.name ?? '', href: `/invoices/${node.recordId}` }
    case 'Bill':
      return { ...row, name: record.billNumber, who: record.supplier?.name ?? '', href: `/bills/${node.recordId}` }
    case 'Payment':
      return { ...row, name: record.reference ?? '', who: record.party?.name ?? '', href: paymentHref(record) }
    default:
      return { ...row, href: row.kind === 'bill' ? `/bills/${node.recordId}` : `/invoices/${node.recordId}` }
  }
}

export function kindName(kind: string): string {
  if (kind === 'invoice' || kind === 'bill' || kind === 'payment') return t(`kind.${kind}`)
  return kind
}

const GROUPS = ['invoice', 'credit_note', 'bill', 'received', 'made', 'clean', 'corrected', 'rejected'] as const

export function groupName(group: string): string {
  const known = GROUPS.find((one) => one === group)
  return known ? t(`group.${known}`) : group
}
