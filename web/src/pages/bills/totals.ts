// The totals of a bill as its supplier states them; what is zero and usual is left out.
import { fmt } from '$lib/i18n/index.svelte'
import type { BillWholeFragment } from '$gql/pages/bills/document'
import { isZero } from '$lib/documents/payment.svelte'
import { t } from '$lib/documents/texts'
import type { Total } from '$lib/documents/Totals.svelte'

const CATEGORIES = ['S', 'Z', 'E', 'AE', 'K', 'G', 'O'] as const

/** A tax group in words. */
export function taxName(category: string, rate: string): string {
  const known = CATEGORIES.find((one) => one === category)
  return !known || known === 'S' ? t('doc.vatRate', { rate: fmt.number(rate) }) : t(`category.${known}`)
}

export function totalsOf(bill: BillWholeFragment & { open: { amount: string } }): Total[] {
  const rows: Total[] = []
  const unlessZero = (label: string, amount: string) => {
    if (!isZero(amount)) rows.push({ label, amount })
  }
  unlessZero(t('doc.allowances'), bill.allowances.amount)
  unlessZero(t('doc.charges'), bill.charges.amount)
  rows.push({ label: t('doc.net'), amount: bill.net.amount })
  for (const { category, rate, base, tax } of bill.taxes) {
    rows.push({ label: taxName(category, rate), amount: tax.amount, of: t('doc.on', { base: fmt.money(base.amount, base.currency) }) })
  }
  rows.push({ label: t('doc.gross'), amount: bill.total.amount, kind: 'main' })
  unlessZero(t('doc.prepaid'), bill.prepaid.amount)
  unlessZero(t('doc.rounding'), bill.rounding.amount)
  if (bill.payable.amount !== bill.total.amount) rows.push({ label: t('doc.payable'), amount: bill.payable.amount, kind: 'due' })
  if (bill.state !== 'POSTED') return rows
  const credit = bill.kind === 'CREDIT_NOTE'
  unlessZero(credit ? t('doc.refunded') : t('doc.settled'), bill.settled.amount)
  unlessZero(credit ? t('doc.setAgainst') : t('doc.credited'), bill.credited.amount)
  rows.push({ label: credit ? t('doc.toRefund') : t('doc.toPay'), amount: bill.open.amount, kind: 'due' })
  return rows
}
