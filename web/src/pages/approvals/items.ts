// What waits for a decision, and how far the viewer has come with it.
import type { WaitingAccessFragment, WaitingBillFragment } from '$gql/pages/approvals/approvals'
import { plus, sign } from '$lib/exact'

export type { WaitingAccessFragment as Access, WaitingBillFragment as Bill }

/**
 * `waiting` and `skipped` can be decided; `working` is on its way; `failed` was refused and can be tried again; the rest
 * is decided: by the viewer (`approved`, `rejected`) or by somebody else meanwhile (`elsewhere`).
 */
export type Mark = 'waiting' | 'skipped' | 'approving' | 'rejecting' | 'failed' | 'approved' | 'rejected' | 'elsewhere'

interface Common {
  id: string
  mark: Mark
  /** Why it failed, for people. */
  note?: string
}
export type BillItem = Common & { kind: 'bill'; bill: WaitingBillFragment }
export type AccessItem = Common & { kind: 'access'; access: WaitingAccessFragment }
export type Item = BillItem | AccessItem

export function isOpen({ mark }: Item): boolean {
  return mark === 'waiting' || mark === 'skipped' || mark === 'failed'
}

export function isDecided({ mark }: Item): boolean {
  return mark === 'approved' || mark === 'rejected' || mark === 'elsewhere'
}

export function billItem(bill: WaitingBillFragment): BillItem {
  return { kind: 'bill', id: bill.id, mark: 'waiting', bill }
}

export function accessItem(access: WaitingAccessFragment): AccessItem {
  return { kind: 'access', id: access.id, mark: 'waiting', access }
}

/** The first waiting item after one, else the first before it, else a skipped one; null when all is done. */
export function nextOpen(items: Item[], from: string | null): string | null {
  const at = items.findIndex(({ id }) => id === from)
  const around = [...items.slice(at + 1), ...items.slice(0, Math.max(at, 0))]
  return around.find(({ mark }) => mark === 'waiting' || mark === 'failed')?.id ?? null
}

/** What there is to pay of the open bills, by currency; credit notes count against it. */
export function waitingSums(items: Item[]): { amount: string; currency: string }[] {
  const sums = new Map<string, string>()
  for (const item of items) {
    if (item.kind !== 'bill' || !isOpen(item)) continue
    const { amount, currency } = item.bill.payable
    const signed = item.bill.kind === 'CREDIT_NOTE' && sign(amount) > 0 ? `-${amount}` : amount
    sums.set(currency, plus(sums.get(currency) ?? '0', signed))
  }
  return Array.from(sums, ([currency, amount]) => ({ amount, currency }))
}
