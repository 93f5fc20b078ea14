// What is done to bills, one by one and many at once.
import { mutate } from '$lib/api/client'
import { session } from '$lib/session.svelte'
import { ApproveBillDocument, PostBillDocument, RejectBillDocument } from '$gql/pages/bills/acts'
import type { BillRowFragment } from '$gql/pages/bills/list'
import type { ManyAct } from '$lib/documents/BulkBar.svelte'
import type { Target } from '$lib/documents/bulk.svelte'
import { t } from '$lib/documents/texts'

type Which = Pick<Target, 'id' | 'version'>

export async function approve({ id, version }: Which, key: string) {
  return (await mutate(ApproveBillDocument, { input: { billId: id, expectedVersion: version } }, { key })).approveBill
}

export async function reject({ id, version }: Which, key: string, reason: string) {
  return (await mutate(RejectBillDocument, { input: { billId: id, expectedVersion: version, reason } }, { key })).rejectBill
}

export async function post({ id, version }: Which, key: string, on?: string) {
  return (await mutate(PostBillDocument, { input: { billId: id, expectedVersion: version, on } }, { key })).postBill
}

/** What can be done to those of the selected rows that it fits. */
export function manyActs(rows: BillRowFragment[]): ManyAct[] {
  const those = (...states: BillRowFragment['state'][]): Target[] =>
    rows.filter(({ state }) => states.includes(state)).map(({ id, version, number, supplier }) => ({
      id,
      version,
      name: [number, supplier?.name].filter(Boolean).join(', '),
    }))
  const acts: ManyAct[] = []
  if (session.can('bills.approve')) {
    acts.push({
      id: 'approve',
      label: (count) => t('bulk.approve', { count }),
      ask: (count) => t('bulk.askApprove', { count }),
      targets: those('RECEIVED'),
      act: async (target, key) => (await approve(target, key)).userErrors[0]?.message ?? null,
    })
  }
  if (session.can('bills.post')) {
    acts.push({
      id: 'post',
      label: (count) => t('bulk.post', { count }),
      ask: (count) => t('bulk.askPost', { count }),
      text: t('bills.postText'),
      targets: those('APPROVED'),
      act: async (target, key) => (await post(target, key)).userErrors[0]?.message ?? null,
    })
  }
  if (session.can('bills.approve')) {
    let reason = ''
    acts.push({
      id: 'reject',
      label: (count) => t('bulk.reject', { count }),
      ask: (count) => t('bulk.askReject', { count }),
      text: t('bills.rejectText'),
      danger: true,
      reason: { label: t('bills.rejectReason'), set: (text) => (reason = text) },
      targets: those('RECEIVED', 'APPROVED'),
      act: async (target, key) => (await reject(target, key, reason)).userErrors[0]?.message ?? null,
    })
  }
  return acts
}
