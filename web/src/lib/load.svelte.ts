// What a page has asked for: loading, there, or failed; and lists that go on by a cursor and tell their news.
import { untrack } from 'svelte'
import { asApiError, type ApiError } from '$lib/api/client'

/**
 * Asks whenever what `ask` reads of the state changes, and again by `again()`. While it asks anew, what was there stays on
 * show. Make it while a component starts.
 */
export function load<T>(ask: (signal: AbortSignal) => Promise<T>) {
  let data = $state.raw<T | null>(null)
  let error = $state.raw<ApiError | null>(null)
  let busy = $state(true)
  let turn = $state(0)

  $effect(() => {
    void turn
    const abort = new AbortController()
    busy = true
    ask(abort.signal).then(
      (answer) => {
        if (abort.signal.aborted) return
        data = answer
        error = null
        busy = false
      },
      (wrong: unknown) => {
        if (abort.signal.aborted) return
        error = asApiError(wrong)
        busy = false
      },
    )
    return () => abort.abort()
  })

  return {
    get data() {
      return data
    },
    /** Shows what a mutation has answered, without asking anew. */
    set data(next: T | null) {
      data = next
    },
    get error() {
      return error
    },
    get busy() {
      return busy
    },
    again() {
      // Whoever calls it in an effect does not depend on it.
      untrack(() => (turn += 1))
    },
  }
}

export interface Slice<Row> {
  rows: Row[]
  /** The cursor to go on from; null at the end. */
  after: string | null
}

/**
 * A list by pages. `ask` is called again when what it reads of the state (filters) changes, with `after` null. `refresh`
 * looks for news: rows that are known are brought up to date where they stand, new ones wait behind `news` until `show()`.
 */
export function list<Row extends { id: string }>(ask: (after: string | null, signal: AbortSignal) => Promise<Slice<Row>>) {
  let rows = $state.raw<Row[]>([])
  let waiting = $state.raw<Row[]>([])
  let after = $state.raw<string | null>(null)
  let error = $state.raw<ApiError | null>(null)
  let loaded = $state(false)
  let busy = $state(true)
  let turn = $state(0)
  let abort = new AbortController()

  $effect(() => {
    void turn
    const mine = (abort = new AbortController())
    busy = true
    ask(null, mine.signal).then(
      (first) => {
        if (mine.signal.aborted) return
        rows = first.rows
        waiting = []
        after = first.after
        error = null
        loaded = true
        busy = false
      },
      (wrong: unknown) => {
        if (mine.signal.aborted) return
        error = asApiError(wrong)
        busy = false
      },
    )
    return () => mine.abort()
  })

  return {
    get rows() {
      return rows
    },
    set rows(next: Row[]) {
      rows = next
    },
    /** How many rows wait to be shown. */
    get news() {
      return waiting.length
    },
    get error() {
      return error
    },
    /** Whether the first page has come. */
    get loaded() {
      return loaded
    },
    get busy() {
      return busy
    },
    get more() {
      return after !== null
    },
    async next() {
      const { signal } = abort
      if (after === null || busy) return
      busy = true
      try {
        const slice = await ask(after, signal)
        if (signal.aborted) return
        const known = new Set(rows.map(({ id }) => id))
        rows = [...rows, ...slice.rows.filter(({ id }) => !known.has(id))]
        after = slice.after
      } catch (wrong) {
        if (!signal.aborted) error = asApiError(wrong)
      } finally {
        if (!signal.aborted) busy = false
      }
    },
    async refresh() {
      const { signal } = abort
      const slice = await ask(null, signal).catch(() => null)
      if (!slice || signal.aborted) return
      const fresh = new Map(slice.rows.map((row) => [row.id, row]))
      const known = new Set(rows.map(({ id }) => id))
      rows = rows.map((row) => fresh.get(row.id) ?? row)
      waiting = slice.rows.filter(({ id }) => !known.has(id))
    },
    show() {
      rows = [...waiting, ...rows]
      waiting = []
    },
    /** Puts one row in the place of its former self. */
    put(row: Row) {
      rows = rows.map((old) => (old.id === row.id ? row : old))
    },
    again() {
      // Whoever calls it in an effect does not depend on it.
      untrack(() => (turn += 1))
    },
  }
}
