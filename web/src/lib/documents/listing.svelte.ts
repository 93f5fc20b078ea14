// A list that is read page by page, follows what happens, and never moves what somebody looks at.
import { asApiError, type ApiError } from '$lib/api/client'

export interface Page<Row> {
  rows: Row[]
  more: boolean
  end: string | null
}

export type Load<Row> = (first: number, after: string | null, signal: AbortSignal) => Promise<Page<Row>>

const FIRST = 40
const MOST = 100

export class Listing<Row extends { id: string; version: number }> {
  rows: Row[] = $state.raw([])
  status = $state<'loading' | 'ready' | 'failed'>('loading')
  error: ApiError | null = $state.raw(null)
  more = $state(false)
  loadingMore = $state(false)
  /** Why the next page did not come. */
  moreError: ApiError | null = $state.raw(null)
  /** Rows that would stand in the list by now, and wait until they are asked for. */
  fresh = $state(0)
  /** Rows that no longer fit the filters and stay where they are until then. */
  left: ReadonlySet<string> = $state.raw(new Set())
  /** Rows that have changed while they were shown. */
  touched: ReadonlySet<string> = $state.raw(new Set())

  #load: Load<Row> | null = null
  #end: string | null = null
  #asking = new AbortController()
  #latest: Page<Row> | null = null

  /** Reads a list anew: after a change of its filters. */
  async open(load: Load<Row>) {
    this.#load = load
    this.#reset()
    this.status = 'loading'
    this.rows = []
    await this.#read(FIRST)
  }

  /** Tries again after an error. */
  async again() {
    this.status = 'loading'
    await this.#read(FIRST)
  }

  async loadMore() {
    if (!this.#load || !this.more || this.loadingMore) return
    const { signal } = this.#asking
    this.loadingMore = true
    this.moreError = null
    try {
      const page = await this.#load(FIRST, this.#end, signal)
      if (signal.aborted) return
      const known = new Set(this.rows.map(({ id }) => id))
      this.rows = [...this.rows, ...page.rows.filter(({ id }) => !known.has(id))]
      this.more = page.more
      this.#end = page.end
    } catch (error) {
      if (!signal.aborted) this.moreError = asApiError(error)
    } finally {
      if (!signal.aborted) this.loadingMore = false
    }
  }

  /**
   * Reads what is shown again. With `still` nothing moves: rows change where they stand, new ones are counted, and
   * those that went stay in their place.
   */
  async refresh({ still }: { still: boolean }) {
    if (!this.#load || this.status !== 'ready') return
    const { signal } = this.#asking
    const page = await this.#load(Math.min(MOST, Math.max(FIRST, this.rows.length)), null, signal).catch(() => null)
    if (!page || signal.aborted) return
    const now = new Map(page.rows.map((row) => [row.id, row]))
    const seen = this.rows.slice(0, MOST)
    const touched = seen.filter((row) => (now.get(row.id)?.version ?? row.version) !== row.version).map(({ id }) => id)
    const left = page.more && this.rows.length > page.rows.length ? [] : seen.filter(({ id }) => !now.has(id))
    const known = new Set(this.rows.map(({ id }) => id))
    const fresh = page.rows.filter(({ id }) => !known.has(id)).length
    this.#latest = page
    if (!still && this.rows.length <= MOST) return this.show()
    this.rows = this.rows.map((row) => now.get(row.id) ?? row)
    this.touched = new Set(touched)
    this.left = new Set(left.map(({ id }) => id))
    this.fresh = fresh
  }

  /** Shows what waits. */
  show() {
    const page = this.#latest
    if (!page) return
    this.rows = page.rows
    this.more = page.more
    this.#end = page.end
    this.fresh = 0
    this.left = new Set()
  }

  /** Puts the newest state of a row where it stands, as after an own act. */
  put(row: Row) {
    this.rows = this.rows.map((old) => (old.id === row.id ? row : old))
  }

  async #read(first: number) {
    if (!this.#load) return
    this.#asking.abort()
    this.#asking = new AbortController()
    const { signal } = this.#asking
    try {
      const page = await this.#load(first, null, signal)
      if (signal.aborted) return
      this.#latest = page
      this.show()
      this.error = null
      this.status = 'ready'
    } catch (error) {
      if (signal.aborted) return
      this.error = asApiError(error)
      this.status = 'failed'
    }
  }

  #reset() {
    this.#end = null
    this.#latest = null
    this.more = false
    this.loadingMore = false
    this.moreError = null
    this.fresh = 0
    this.left = new Set()
    this.touched = new Set()
  }
}
