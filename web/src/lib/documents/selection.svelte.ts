// Which rows of a list are selected, and which one the keyboard is on.

export class Selection {
  /** The selected ids. */
  ids: ReadonlySet<string> = $state.raw(new Set())
  /** The row that the keyboard is on. */
  cursor = $state<string | null>(null)
  /** Where a range begins: the row that was selected last. */
  #anchor: string | null = null

  has(id: string): boolean {
    return this.ids.has(id)
  }

  toggle(id: string) {
    const next = new Set(this.ids)
    if (!next.delete(id)) next.add(id)
    this.ids = next
    this.#anchor = id
  }

  /** Remembers where a range may begin. */
  mark(id: string) {
    this.#anchor = id
  }

  /** Selects all rows between the last one that was selected and this one. */
  upTo(id: string, order: string[]) {
    const from = order.indexOf(this.#anchor ?? this.cursor ?? id)
    const to = order.indexOf(id)
    if (to < 0) return
    const [first, last] = from < 0 ? [to, to] : [Math.min(from, to), Math.max(from, to)]
    this.ids = new Set([...this.ids, ...order.slice(first, last + 1)])
    this.#anchor = id
  }

  /** Takes one out, as after it was dealt with. */
  drop(id: string) {
    const next = new Set(this.ids)
    if (next.delete(id)) this.ids = next
  }

  all(order: string[]) {
    this.ids = new Set(order)
  }

  clear() {
    this.ids = new Set()
    this.#anchor = null
  }

  /** Moves the keyboard's row by so many; answers where it is then. */
  move(by: number, order: string[]): string | null {
    if (order.length === 0) return null
    const at = this.cursor === null ? -1 : order.indexOf(this.cursor)
    const to = at < 0 ? (by > 0 ? 0 : order.length - 1) : Math.min(order.length - 1, Math.max(0, at + by))
    this.cursor = order[to] ?? null
    return this.cursor
  }

  /** Forgets what is not shown any more. */
  keep(order: string[]) {
    const shown = new Set(order)
    const kept = [...this.ids].filter((id) => shown.has(id))
    if (kept.length !== this.ids.size) this.ids = new Set(kept)
  }
}
