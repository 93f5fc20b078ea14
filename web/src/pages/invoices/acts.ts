// What is done to invoices, one by one and many at once.
import { mutate } from '$lib/api/client'
import { DiscardInvoiceDocument, IssueInvoiceDocument } from '$gql/pages/invoices/acts'
import type { InvoiceRowFragment } from '$gql/pages/invoices/list'
import { session } from '$lib/session.svelte'
import type { Target } from '$lib/documents/bulk.svelte'
import type { ManyAct } from '$lib/documents/BulkBar.svelte'
import { t } from '$lib/documents/texts'

export async function issue({ id, version }: Pick<Target, 'id' | 'version'>, key: string, issueDate?: string) {
  const { issueInvoice } = await mutate(IssueInvoiceDocument, { input: { invoiceId: id, expectedVersion: version, issueDate } }, { key })
  return issueInvoice
}

export async function discard({ id, version }: Pick<Target, 'id' | 'version'>, key: string) {
  const { discardInvoice } = await mutate(DiscardInvoiceDocument, { input: { invoiceId: id, expectedVersion: version } }, { key })
  return discardInvoice
}

/** What can be done to those of the selected rows that it fits. */
export function manyActs(rows: InvoiceRowFragment[], nameOf: (row: InvoiceRowFragment) => string): ManyAct[] {
  const drafts = rows
    .filter(({ state }) => state === 'DRAFT')
    .map((row) => ({ id: row.id, version: row.version, name: nameOf(row) }))
  const acts: ManyAct[] = []
  if (session.can('invoicing.issue')) {
    acts.push({
      id: 'issue',
      label: (count) => t('bulk.issue', { count }),
      ask: (count) => t('bulk.askIssue', { count }),
      text: t('invoices.issueText'),
      targets: drafts,
      act: async (target, key) => (await issue(target, key)).userErrors[0]?.message ?? null,
    })
  }
  if (session.can('invoicing.draft')) {
    acts.push({
      id: 'discard',
      label: (count) => t('bulk.discard', { count }),
      ask: (count) => t('bulk.askDiscard', { count }),
      text: t('invoices.discardText'),
      danger: true,
      targets: drafts,
      act: async (target, key) => (await discard(target, key)).userErrors[0]?.message ?? null,
    })
  }
  return acts
}
