import { query } from '$lib/api/client'
import { FigureTrendsDocument } from '$gql/lib/figures/figures'
import type { Trend } from '$lib/figures/trend'

/** Trends follow the figures at a distance: they cost more, and change less. */
const PAUSE_MS = 20_000

/** What lies behind the figures: their last days and the former period. */
export class Trends {
  byKey: Readonly<Record<string, Trend>> = $state.raw({})
  #due = new Set<string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #asked = 0

  /** Asks for the trends of these figures: at once the first time, at a distance afterwards. */
  want(keys: readonly string[]): void {
    for (const key of keys) this.#due.add(key)
    if (this.#due.size === 0 || this.#timer !== undefined) return
    this.#timer = setTimeout(() => void this.#load(), Math.max(0, this.#asked + PAUSE_MS - Date.now()))
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#due.clear()
  }

  async #load(): Promise<void> {
    const keys = [...this.#due]
    this.#due.clear()
    this.#timer = undefined
    this.#asked = Date.now()
    try {
      const { kpis } = await query(FigureTrendsDocument, { keys })
      const next = { ...this.byKey }
      for (const { key, sparkline, comparison } of kpis.kpis) {
        next[key] = { points: sparkline, comparison: comparison.previousPeriod }
      }
      this.byKey = next
    } catch {
      // A trend is an extra: without it the figures still stand, and the next change asks again.
    }
  }
}
