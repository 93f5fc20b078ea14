import { t } from '$lib/documents/texts'

/** A payment term in words: `30 days, end of month`. */
export function termsOf({ paymentDays, endOfMonth }: { paymentDays: number; endOfMonth: boolean }): string {
  return t(endOfMonth ? 'invoices.termsEndOfMonth' : 'invoices.termsText', { count: paymentDays })
}
