// Where an own change and somebody else's have met: both changed the same field since it was read.
import { fmt } from '$lib/i18n/index.svelte'
import type { Difference } from '$ui'
import type { InvoiceWholeFragment } from '$gql/pages/invoices/acts'
import { t } from '$lib/documents/texts'
import { headOf, linesOf, sent, type HeadField, type InvoiceForm } from './form.svelte'

export function differencesOf(form: InvoiceForm, now: InvoiceWholeFragment): Difference[] {
  const { base } = form
  if (!base) return []
  const [before, theirs] = [headOf(base), headOf(now)]
  const differences = form.changed
    .filter((field) => before[field] !== theirs[field] && form.head[field].trim() !== theirs[field])
    .map((field) => ({
      field,
      label: labelOf(field),
      yours: field === 'customerId' ? form.customerName : shown(field, form.head[field]),
      theirs: field === 'customerId' ? (now.customer?.name ?? '–') : shown(field, theirs[field]),
    }))
  const same = JSON.stringify(sent(linesOf(base, {}))) === JSON.stringify(sent(linesOf(now, {})))
  if (form.linesChanged && !same) {
    differences.push({
      field: 'lines' as HeadField,
      label: t('doc.lines'),
      yours: told(form.written.map(({ description, quantity }) => ({ description, quantity })), form.preview.net, form.head.currency),
      theirs: told(now.lines, now.net.amount, now.currency),
    })
  }
  return differences
}

export function labelOf(field: HeadField): string {
  switch (field) {
    case 'customerId':
      return t('invoices.customer')
    case 'paymentDays':
      return t('invoices.terms')
    default:
      return t(`invoices.${field}`)
  }
}

function shown(field: HeadField, value: string): string {
  if (field === 'deliveryDate') return value ? fmt.date(value) : ''
  if (field === 'endOfMonth') return value === 'yes' ? t('doc.yes') : t('doc.no')
  if (field === 'paymentDays') return t('invoices.termsText', { count: Number(value) })
  return value
}

function told(lines: { description: string; quantity: string }[], net: string, currency: string): string {
  const first = lines.slice(0, 6).map(({ description, quantity }) => `${fmt.number(quantity)} × ${description}`)
  const more = lines.length > 6 ? ['…'] : []
  return [...first, ...more, `${t('doc.net')} ${fmt.money(net, currency || 'EUR')}`].join('\n')
}
