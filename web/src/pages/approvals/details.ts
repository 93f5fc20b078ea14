// The figures of a bill, read once for each version of it: the next one is read ahead, so that it is there at once.
import {
  ApprovalsBillDocument,
  ApprovalsSupplierDocument,
  type ApprovalsBillQuery,
  type ApprovalsSupplierQuery,
} from '$gql/pages/approvals/approvals'
import { query } from '$lib/api/client'
import type { Bill } from './items'

export type WholeBill = NonNullable<ApprovalsBillQuery['bill']>
export type Earlier = ApprovalsSupplierQuery['bills']['edges'][number]['node'][]

const MOST = 20
const kept = new Map<string, Promise<WholeBill | null>>()

/** The bill with its lines, findings and file; null when it is not there (any more). */
export function whole({ id, version }: Pick<Bill, 'id' | 'version'>): Promise<WholeBill | null> {
  const key = `${id}:${version}`
  const known = kept.get(key)
  if (known) return known
  const asked = query(ApprovalsBillDocument, { id }).then(({ bill }) => bill)
  // What failed is asked for again.
  asked.catch(() => kept.delete(key))
  kept.set(key, asked)
  for (const old of kept.keys()) {
    if (kept.size <= MOST) break
    kept.delete(old)
  }
  return asked
}

/** The last bills of the supplier, this one left out. */
export async function earlier(supplierId: string, billId: string): Promise<Earlier> {
  const { bills } = await query(ApprovalsSupplierDocument, { supplierId })
  return bills.edges.map(({ node }) => node).filter(({ id }) => id !== billId)
}
