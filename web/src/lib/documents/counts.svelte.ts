// How many documents there are: of the list that is shown, and of the views that say so. Counting costs more than a page, so
// it is not done at each change.
const CALM = 10_000

export class Counts {
  /** Of the list that is shown; null while it is not known. */
  total = $state<number | null>(null)
  /** By the query of a view. */
  views: Record<string, number> = $state({})
  #last = 0
  #turn = 0
  #count: (query: string) => Promise<number>

  constructor(count: (query: string) => Promise<number>) {
    this.#count = count
  }

  /** Counts the list that is shown. */
  async shown(query: string) {
    const turn = (this.#turn += 1)
    this.total = null
    const total = await this.#count(query).catch(() => null)
    if (turn === this.#turn) this.total = total
  }

  /** Counts the views, and the list again, unless that was just done. */
  async all(queries: string[], shown: string, { now = false } = {}) {
    if (!now && Date.now() - this.#last < CALM) return
    this.#last = Date.now()
    const turn = this.#turn
    await Promise.all([
      ...queries.map(async (query) => {
        const count = await this.#count(query).catch(() => undefined)
        if (count !== undefined) this.views[query] = count
      }),
      now
        ? undefined
        : this.#count(shown).then((total) => {
            if (turn === this.#turn) this.total = total
          }, () => undefined),
    ])
  }
}
