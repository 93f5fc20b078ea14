// The lines of a bill that is typed or corrected, and what they come to.
import type { BillWholeFragment } from '$gql/pages/bills/document'
import type { BillLineCorrectionInput, BillLineInput } from '$gql/types'
import { netOf, plain } from '$lib/amounts'
import { read } from '$lib/decimal'
import { preview, type Preview } from '$lib/documents/preview'

export interface BillLine {
  key: number
  /** Of a line that is stored; null of a new one. */
  id: string | null
  description: string
  quantity: string
  unitPrice: string
  /** As it is written; empty: quantity by price. */
  net: string
  /** Category and rate, `S 20`. */
  vat: string
  accountId: string
  accountText: string
}

let keys = 0

export function newLine(vat = 'S 20'): BillLine {
  keys += 1
  return { key: keys, id: null, description: '', quantity: '1', unitPrice: '', net: '', vat, accountId: '', accountText: '' }
}

/** `20.00` and `20` are the same rate. */
export function vatOf(category: string, rate: string): string {
  return `${category} ${rate.includes('.') ? rate.replace(/\.?0+$/, '') : rate}`
}

export function splitVat(vat: string): { category: string; rate: string } {
  const [category = 'S', rate = '0'] = vat.split(' ')
  return { category, rate }
}

export type Accounts = Record<string, { id: string; number: string; name: string }>

export function storedLines(bill: BillWholeFragment, accounts: Accounts): BillLine[] {
  return bill.lines.map((line) => {
    const account = accounts[line.id]
    return {
      ...newLine(vatOf(line.category, line.rate)),
      id: line.id,
      description: line.description,
      quantity: line.quantity ?? '',
      unitPrice: line.unitPrice ?? '',
      net: line.net.amount,
      accountId: account?.id ?? '',
      accountText: account ? `${account.number} ${account.name}` : '',
    }
  })
}

/** The net of a line, as written or as quantity by price; null while there is none. */
export function netOfLine(line: BillLine, currency: string) {
  return line.net.trim() ? read(line.net) : netOf(line.quantity, line.unitPrice, '', currency)
}

export function written(lines: BillLine[]): BillLine[] {
  return lines.filter(({ id, description, unitPrice, net }) => id || description.trim() || unitPrice.trim() || net.trim())
}

export function previewOf(lines: BillLine[], currency: string): Preview {
  const taxed = written(lines).flatMap((line) => {
    const net = netOfLine(line, currency)
    return net ? [{ net, ...splitVat(line.vat) }] : []
  })
  return preview(taxed, currency)
}

/** A line as it is sent when it is new. */
export function asInput(line: BillLine): BillLineInput {
  return {
    description: line.description.trim(),
    quantity: plain(line.quantity) ?? undefined,
    unitPrice: plain(line.unitPrice) ?? undefined,
    net: plain(line.net) ?? undefined,
    ...splitVat(line.vat),
    accountId: line.accountId || undefined,
  }
}

/** What of a stored line has changed; null when nothing has. */
export function correctionOf(line: BillLine, before: BillLine): BillLineCorrectionInput | null {
  const change: BillLineCorrectionInput = { lineId: line.id ?? '' }
  if (line.description.trim() !== before.description) change.description = line.description.trim()
  if (plain(line.net) !== plain(before.net)) change.net = plain(line.net) ?? line.net
  if (line.vat !== before.vat) Object.assign(change, splitVat(line.vat))
  if (line.accountId && line.accountId !== before.accountId) change.accountId = line.accountId
  return Object.keys(change).length > 1 ? change : null
}
