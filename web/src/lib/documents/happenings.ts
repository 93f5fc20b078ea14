// What an event of the log says in words.
import { fmt } from '$lib/i18n/index.svelte'
import type { HappeningFragment } from '$gql/lib/documents/fragments'
import { digitsOf } from '$lib/amounts'
import { write } from '$lib/decimal'
import { t } from './texts'

type Payload = Record<string, unknown>

/** Who did it, as people say it. */
export function doer({ kind, name, application }: HappeningFragment['actor']): string {
  if (kind === 'SYSTEM') return t('activity.system')
  if (kind === 'CUSTOMER') return t('activity.CUSTOMER')
  if (kind === 'API_KEY') return name ?? t('activity.API_KEY')
  if (application) return t('activity.by', { name: name ?? t('activity.unknown'), application })
  return name ?? t('activity.unknown')
}

export function deed({ kind, payload }: HappeningFragment): string {
  const facts = (payload ?? {}) as Payload
  const said = (name: string) => {
    const value = facts[name]
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '–'
  }
  switch (kind) {
    case 'invoice.issued':
    case 'credit_note.issued':
      return t(`activity.${kind}`, { number: said('number') })
    case 'invoice.settled':
    case 'invoice.unsettled':
    case 'credit_note.set':
    case 'credit_note.unset':
    case 'bill.settled':
    case 'bill.unsettled':
      return t(`activity.${kind}`, { amount: amountOf(facts) })
    case 'invoice.rated':
      return t('activity.invoice.rated', { score: said('score') })
    case 'invoice.drafted':
    case 'invoice.updated':
    case 'invoice.discarded':
    case 'credit_note.drafted':
    case 'credit_note.updated':
    case 'credit_note.discarded':
    case 'bill.received':
    case 'bill.corrected':
    case 'bill.approved':
    case 'bill.rejected':
    case 'bill.posted':
      return t(`activity.${kind}`)
    default:
      return t('activity.other', { kind })
  }
}

function amountOf({ amountMinor, currency }: Payload): string {
  const size = Math.abs(typeof amountMinor === 'number' ? amountMinor : 0)
  return minor(size, typeof currency === 'string' ? currency : 'EUR')
}

export interface Change {
  field: string
  before: string
  after: string
}

/** The fields that it changed, from and to; what has no short form is left out. */
export function changes({ payload, personalChanges }: HappeningFragment, currency: string): Change[] {
  const all = ((payload ?? {}) as Payload).changes
  const plain = typeof all === 'object' && all !== null ? Object.entries(all as Record<string, unknown>) : []
  const told = plain.flatMap(([field, change]) => {
    const [from, to] = pair(change).map((value) => short(field, value, currency))
    return from == null || to == null || field === 'state' ? [] : [{ field: named(field), before: from, after: to }]
  })
  const personal = personalChanges.map(({ field, before, after }) => ({
    field: named(field),
    before: before || t('activity.nothing'),
    after: after || t('activity.nothing'),
  }))
  return [...told, ...personal]
}

/** Before and after, in either of the forms that the log has. */
function pair(change: unknown): [unknown, unknown] {
  if (Array.isArray(change)) return [change[0], change[1]]
  const { before, after, from, to } = (change ?? {}) as Record<string, unknown>
  return [before ?? from, after ?? to]
}

function named(field: string): string {
  const known: Record<string, () => string> = {
    totalMinor: () => t('doc.gross'),
    netMinor: () => t('doc.net'),
    payableMinor: () => t('doc.payable'),
    payableBaseMinor: () => t('doc.payable'),
    dueDate: () => t('doc.dueDate'),
    paymentDays: () => t('invoices.terms'),
    endOfMonth: () => t('invoices.endOfMonth'),
    deliveryDate: () => t('invoices.deliveryDate'),
    orderReference: () => t('invoices.orderReference'),
    buyerReference: () => t('invoices.buyerReference'),
    note: () => t('invoices.note'),
    externalRef: () => t('invoices.externalRef'),
    currency: () => t('invoices.currency'),
    vatOnPayment: () => t('bills.vatOnPayment'),
    lines: () => t('doc.lines'),
  }
  return known[field]?.() ?? field
}

function short(field: string, value: unknown, currency: string): string | null {
  if (value === null || value === undefined || value === '') return t('activity.nothing')
  if (typeof value === 'boolean') return value ? t('doc.yes') : t('doc.no')
  if (typeof value === 'number' && field.endsWith('Minor')) return minor(value, currency)
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : null
  // Ids tell people nothing.
  if (text === null || text.length > 120 || /^[a-z_]+_[0-9a-z]{26}$/.test(text)) return null
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? fmt.date(text) : text
}

function minor(value: number, currency: string): string {
  const units = BigInt(Math.abs(value))
  return fmt.money((value < 0 ? '-' : '') + write({ units, scale: digitsOf(currency) }), currency)
}
