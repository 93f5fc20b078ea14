// An invoice that is being written: what stands in its fields, what it would come to, and what of it is to be sent.
import type { InvoiceWholeFragment } from '$gql/pages/invoices/acts'
import type { InvoiceLineInput, UpdateInvoiceInput } from '$gql/types'
import { netOf, plain } from '$lib/amounts'
import type { ItemChoice, PartyChoice, TaxChoice } from '$lib/documents/finders'
import { preview, type Preview } from '$lib/documents/preview'

export interface EditedLine {
  key: number
  itemId: string | null
  description: string
  quantity: string
  unit: string
  unitPrice: string
  discountPercent: string
  taxCodeId: string
  /** The income account, where it may be read: it is sent back as it was. */
  accountId: string | null
}

export const HEAD = [
  'customerId', 'currency', 'paymentDays', 'endOfMonth', 'deliveryDate', 'orderReference', 'buyerReference', 'note', 'externalRef',
] as const
export type HeadField = (typeof HEAD)[number]
/** What stands in the fields of the head, as text. */
export type Head = Record<HeadField, string>

let keys = 0

export function emptyLine(taxCodeId = ''): EditedLine {
  keys += 1
  return { key: keys, itemId: null, description: '', quantity: '1', unit: 'C62', unitPrice: '', discountPercent: '', taxCodeId, accountId: null }
}

const EMPTY: Head = {
  customerId: '', currency: '', paymentDays: '', endOfMonth: '', deliveryDate: '', orderReference: '', buyerReference: '', note: '', externalRef: '',
}

export function headOf(invoice: InvoiceWholeFragment): Head {
  return {
    customerId: invoice.customer?.id ?? '',
    currency: invoice.currency,
    paymentDays: String(invoice.paymentDays),
    endOfMonth: invoice.endOfMonth ? 'yes' : '',
    deliveryDate: invoice.deliveryDate ?? '',
    orderReference: invoice.orderReference ?? '',
    buyerReference: invoice.buyerReference ?? '',
    note: invoice.note ?? '',
    externalRef: invoice.externalRef ?? '',
  }
}

export function linesOf(invoice: InvoiceWholeFragment, accounts: Record<string, string>): EditedLine[] {
  return invoice.lines.map((line) => ({
    ...emptyLine(line.taxCode?.id ?? ''),
    itemId: line.item?.id ?? null,
    description: line.description,
    quantity: line.quantity,
    unit: line.unit,
    unitPrice: line.unitPrice,
    discountPercent: line.discountPercent === '0' ? '' : line.discountPercent,
    accountId: accounts[line.id] ?? null,
  }))
}

/** Lines as they are sent; two that are sent alike are alike. */
export function sent(lines: EditedLine[]): InvoiceLineInput[] {
  return lines.map((line) => ({
    itemId: line.itemId,
    description: line.description.trim() || undefined,
    quantity: plain(line.quantity) ?? line.quantity,
    unit: line.unit || undefined,
    unitPrice: plain(line.unitPrice) ?? undefined,
    discountPercent: plain(line.discountPercent) ?? undefined,
    taxCodeId: line.taxCodeId || undefined,
    accountId: line.accountId ?? undefined,
  }))
}

export class InvoiceForm {
  head: Head = $state({ ...EMPTY })
  customerName = $state('')
  lines: EditedLine[] = $state([emptyLine()])
  taxes: TaxChoice[] = $state.raw([])
  /** As it was read; null of a new one. */
  base: InvoiceWholeFragment | null = $state.raw(null)
  #baseLines = $state.raw('')

  begin(invoice: InvoiceWholeFragment, accounts: Record<string, string>) {
    this.base = invoice
    this.head = headOf(invoice)
    this.customerName = invoice.customer?.name ?? ''
    this.lines = linesOf(invoice, accounts)
    this.#baseLines = JSON.stringify(sent(this.lines))
  }

  /** The fields of the head that differ from what was read. */
  get changed(): HeadField[] {
    const before = this.base ? headOf(this.base) : EMPTY
    return HEAD.filter((field) => this.head[field].trim() !== before[field])
  }

  get linesChanged(): boolean {
    const now = this.base ? JSON.stringify(sent(this.lines)) : ''
    return this.base ? now !== this.#baseLines : this.written.length > 0
  }

  get dirty(): boolean {
    return this.changed.length > 0 || this.linesChanged
  }

  /** The lines in which something stands. */
  get written(): EditedLine[] {
    return this.lines.filter((line) => line.itemId || line.description.trim() || line.unitPrice.trim())
  }

  choose(customer: PartyChoice) {
    this.head.customerId = customer.id
    this.customerName = customer.name
    this.head.currency = customer.currency
    this.head.paymentDays = String(customer.paymentDays)
    this.head.endOfMonth = customer.endOfMonth ? 'yes' : ''
  }

  /** An item gives its text, unit, tax, and its price where the currencies agree. */
  fill(line: EditedLine, item: ItemChoice) {
    line.itemId = item.id
    line.description = item.name
    line.unit = item.unit
    line.accountId = null
    if (item.currency === this.head.currency || !this.head.currency) line.unitPrice = item.unitPrice
    if (item.taxCode) line.taxCodeId = item.taxCode.id
  }

  net(line: EditedLine): string | null {
    const net = netOf(line.quantity, line.unitPrice, line.discountPercent, this.head.currency || 'EUR')
    return net && preview([{ net, category: 'S', rate: '0' }], this.head.currency || 'EUR').net
  }

  get preview(): Preview {
    const currency = this.head.currency || 'EUR'
    const taxed = this.lines.flatMap((line) => {
      const net = netOf(line.quantity, line.unitPrice, line.discountPercent, currency)
      const code = this.taxes.find(({ id }) => id === line.taxCodeId)
      return net ? [{ net, category: code?.category ?? 'S', rate: code?.rate ?? '0' }] : []
    })
    return preview(taxed, currency)
  }

  /** What is sent to create it. */
  get created() {
    const { head } = this
    return {
      customerId: head.customerId,
      ...this.#optional(),
      currency: head.currency || undefined,
      paymentDays: head.paymentDays === '' ? undefined : Number(head.paymentDays),
      endOfMonth: head.endOfMonth === 'yes',
      lines: sent(this.written),
    }
  }

  /** What is sent to change it: the named fields, and the lines if `lines`. */
  update(fields: HeadField[], lines: boolean, version: number): UpdateInvoiceInput {
    const { head } = this
    const all = {
      customerId: head.customerId,
      currency: head.currency,
      paymentDays: Number(head.paymentDays),
      endOfMonth: head.endOfMonth === 'yes',
      deliveryDate: head.deliveryDate || null,
      orderReference: head.orderReference.trim() || null,
      buyerReference: head.buyerReference.trim() || null,
      note: head.note.trim() || null,
      externalRef: head.externalRef.trim() || null,
    }
    const named = Object.fromEntries(fields.map((field) => [field, all[field]]))
    // With another currency, the API wants the lines anew.
    const withLines = lines || fields.includes('currency')
    return {
      invoiceId: this.base?.id ?? '',
      expectedVersion: version,
      ...named,
      ...(withLines && { lines: sent(this.written) }),
    }
  }

  #optional() {
    const { head } = this
    return {
      deliveryDate: head.deliveryDate || undefined,
      orderReference: head.orderReference.trim() || undefined,
      buyerReference: head.buyerReference.trim() || undefined,
      note: head.note.trim() || undefined,
      externalRef: head.externalRef.trim() || undefined,
    }
  }
}
