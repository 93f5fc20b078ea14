// The inbox: items stay where they are until the viewer puts them away; new ones wait aside until they are asked for.
import {
  ApprovalsAccessDocument,
  ApprovalsApproveAccessDocument,
  ApprovalsApproveDocument,
  ApprovalsBillsDocument,
  ApprovalsRejectAccessDocument,
  ApprovalsRejectDocument,
  type BillOrder,
} from '$gql/pages/approvals/approvals'
import { asApiError, mutate, query, type ApiError } from '$lib/api/client'
import type { UserError } from '$lib/api/doc'
import { sentence } from '$lib/forms'
import { session } from '$lib/session.svelte'
import { follow } from '$lib/api/follow'
import { accessItem, billItem, isDecided, isOpen, type Access, type Bill, type Item } from './items'

const PAGE = 50
/** How a decision ended, for whoever tells it. */
export type Outcome =
  | { how: 'done' }
  | { how: 'conflict' }
  | { how: 'refused'; message: string }

export class Inbox {
  items = $state.raw<Item[]>([])
  /** What came since and is not shown yet. */
  fresh = $state.raw<Item[]>([])
  status = $state<'loading' | 'ready' | 'failed'>('loading')
  error = $state.raw<ApiError | null>(null)
  hasMore = $state(false)
  loadingMore = $state(false)
  order: BillOrder
  #cursor: string | null = null

  constructor(order: BillOrder) {
    this.order = order
  }

  get bills(): boolean {
    return session.can('bills.read')
  }
  /** Requests for rights wait for owners, and never for who has asked. */
  get requests(): boolean {
    return session.viewer?.role?.key === 'owner'
  }

  async load() {
    this.status = 'loading'
    try {
      const [requests, page] = await Promise.all([this.#requests(), this.#page(PAGE, null)])
      this.#cursor = page.cursor
      this.hasMore = page.hasMore
      this.fresh = []
      this.items = [...requests, ...page.items]
      this.status = 'ready'
    } catch (error) {
      this.error = asApiError(error)
      this.status = 'failed'
    }
  }

  async more() {
    if (this.loadingMore || !this.hasMore) return
    this.loadingMore = true
    try {
      const page = await this.#page(PAGE, this.#cursor)
      const known = new Set([...this.items, ...this.fresh].map(({ id }) => id))
      this.items = [...this.items, ...page.items.filter(({ id }) => !known.has(id))]
      this.#cursor = page.cursor
      this.hasMore = page.hasMore
    } finally {
      this.loadingMore = false
    }
  }

  /** Follows what moves; answers what ends it. */
  follow(): () => void {
    return follow(['bills_waiting'], () => void this.#compare())
  }

  /** Puts what came since at its place in the list. */
  showFresh() {
    const all = [...this.items, ...this.fresh]
    const due = (item: Item) => (item.kind === 'access' ? '' : this.order === 'DUE_DATE' ? item.bill.dueDate : '0')
    this.items = this.order === 'DUE_DATE' ? all.sort((a, b) => due(a).localeCompare(due(b))) : [...this.fresh, ...this.items]
    this.fresh = []
  }

  /** Takes away what is decided. */
  tidy() {
    this.items = this.items.filter((item) => !isDecided(item))
  }

  /** Makes what was skipped wait again. */
  unskip() {
    this.items = this.items.map((item) => (item.mark === 'skipped' ? { ...item, mark: 'waiting' } : item))
  }

  skip(id: string) {
    this.#change(id, (item) => (isOpen(item) ? { ...item, mark: 'skipped' } : item))
  }

  async approve(item: Item): Promise<Outcome> {
    return this.#decide(item, 'approving', 'approved', async () => {
      if (item.kind === 'bill') {
        const input = { billId: item.id, expectedVersion: item.bill.version }
        const { approveBill } = await mutate(ApprovalsApproveDocument, { input })
        return { now: approveBill.bill, errors: approveBill.userErrors }
      }
      const input = { accessRequestId: item.id, expectedVersion: item.access.version }
      const { approveAccessRequest } = await mutate(ApprovalsApproveAccessDocument, { input })
      return { now: approveAccessRequest.accessRequest, errors: approveAccessRequest.userErrors }
    })
  }

  /** `reason` is kept with a bill; a request takes none. */
  async reject(item: Item, reason: string): Promise<Outcome> {
    return this.#decide(item, 'rejecting', 'rejected', async () => {
      if (item.kind === 'bill') {
        const input = { billId: item.id, expectedVersion: item.bill.version, reason }
        const { rejectBill } = await mutate(ApprovalsRejectDocument, { input })
        return { now: rejectBill.bill, errors: rejectBill.userErrors }
      }
      const input = { accessRequestId: item.id, expectedVersion: item.access.version }
      const { rejectAccessRequest } = await mutate(ApprovalsRejectAccessDocument, { input })
      return { now: rejectAccessRequest.accessRequest, errors: rejectAccessRequest.userErrors }
    })
  }

  async #decide(
    { id }: Item,
    during: 'approving' | 'rejecting',
    after: 'approved' | 'rejected',
    act: () => Promise<{ now: Bill | Access | null; errors: UserError[] }>,
  ): Promise<Outcome> {
    this.#change(id, (item) => ({ ...item, mark: during, note: undefined }))
    try {
      const { now, errors } = await act()
      if (now) this.#change(id, (item) => withNow(item, now))
      const [wrong] = errors
      if (!wrong) {
        this.#change(id, (item) => ({ ...item, mark: after }))
        return { how: 'done' }
      }
      const decided = now !== null && !waits(now)
      const message = sentence(wrong.message)
      this.#change(id, (item) => ({ ...item, mark: decided ? 'elsewhere' : 'failed', note: message }))
      return wrong.code === 'CONFLICT' ? { how: 'conflict' } : { how: 'refused', message }
    } catch (error) {
      const message = sentence(asApiError(error).message)
      this.#change(id, (item) => ({ ...item, mark: 'failed', note: message }))
      return { how: 'refused', message }
    }
  }

  #change(id: string, how: (item: Item) => Item) {
    this.items = this.items.map((item) => (item.id === id ? how(item) : item))
  }

  /** Reads what waits now: news go aside, what is gone is marked where it stands, what changed shows its new figures. */
  async #compare() {
    if (this.status !== 'ready') return
    const seen = this.items.filter(({ kind }) => kind === 'bill').length
    const answer = await Promise.all([this.#requests(), this.#page(Math.min(100, Math.max(PAGE, seen)), null)]).catch(() => null)
    if (!answer) return
    const [requests, page] = answer
    const now = new Map([...requests, ...page.items].map((item) => [item.id, item]))
    const last = page.items.at(-1)
    const reaches = (item: Item) =>
      item.kind === 'access' || !page.hasMore || (last?.kind === 'bill' && this.order === 'DUE_DATE' && item.bill.dueDate < last.bill.dueDate)
    this.items = this.items.map((item) => {
      const told = now.get(item.id)
      now.delete(item.id)
      if (told) return told.kind === 'bill' && item.kind === 'bill' && told.bill.version !== item.bill.version ? { ...item, bill: told.bill } : item
      return isOpen(item) && reaches(item) ? { ...item, mark: 'elsewhere' } : item
    })
    // What lies beyond the pages that were read is no news: it comes with the next page.
    const edge = this.hasMore ? this.items.filter((item) => item.kind === 'bill').at(-1) : undefined
    this.fresh = [...now.values()].filter(
      (item) => item.kind === 'access' || !edge || this.order === 'NEWEST' || (edge.kind === 'bill' && item.bill.dueDate < edge.bill.dueDate),
    )
  }

  async #requests(): Promise<Item[]> {
    if (!this.requests) return []
    const { accessRequests } = await query(ApprovalsAccessDocument)
    const own = session.viewer?.actor.id
    return accessRequests.edges.filter(({ node }) => node.requestedBy.id !== own).map(({ node }) => accessItem(node))
  }

  async #page(first: number, after: string | null): Promise<{ items: Item[]; cursor: string | null; hasMore: boolean }> {
    if (!this.bills) return { items: [], cursor: null, hasMore: false }
    const { bills } = await query(ApprovalsBillsDocument, { first, after, orderBy: this.order })
    const { endCursor, hasNextPage } = bills.pageInfo
    return { items: bills.edges.map(({ node }) => billItem(node)), cursor: endCursor, hasMore: hasNextPage }
  }
}

function withNow(item: Item, now: Bill | Access): Item {
  if (item.kind === 'bill' && 'payable' in now) return { ...item, bill: now }
  if (item.kind === 'access' && 'act' in now) return { ...item, access: now }
  return item
}

function waits(thing: Bill | Access): boolean {
  return thing.state === 'RECEIVED' || thing.state === 'OPEN'
}
