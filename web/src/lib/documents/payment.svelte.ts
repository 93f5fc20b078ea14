// A payment that is being recorded: how much, and what it settles. Amounts are exact; until somebody writes an amount it is
// the sum of what was ticked.
import { sum } from '$lib/amounts'
import { compare, minus, plus, read, write, ZERO, type Dec } from '$lib/decimal'

export interface Settled {
  id: string
  kind: string
  number: string | null
  dueDate: string | null
  open: { amount: string; currency: string }
}

export class Paying {
  documents: Settled[] = $state.raw([])
  /** What is allocated to each ticked document, as it is written. */
  taken: Record<string, string> = $state({})
  #written = $state<string | null>(null)
  /** Whose share was written by hand. */
  #own = new Set<string>()

  get allocated(): string {
    return sum(Object.values(this.taken))
  }

  get amount(): string {
    return this.#written ?? this.allocated
  }

  /** Shares that nobody wrote follow the amount, in the order in which they were ticked. */
  set amount(text: string) {
    this.#written = text
    const amount = read(text)
    if (!amount) return
    const own = Object.entries(this.taken).filter(([id]) => this.#own.has(id))
    let left = minus(amount, read(sum(own.map(([, share]) => share))) ?? ZERO)
    for (const id of Object.keys(this.taken)) {
      const document = this.documents.find((one) => one.id === id)
      if (!document || this.#own.has(id)) continue
      const open = read(document.open.amount) ?? ZERO
      const share = compare(left, open) < 0 ? (compare(left, ZERO) > 0 ? left : ZERO) : open
      this.taken[id] = write(share)
      left = minus(left, share)
    }
  }

  /** Somebody wrote a share. */
  share(id: string, text: string) {
    this.#own.add(id)
    this.taken[id] = text
  }

  /** What is paid and not allocated; below zero when more is allocated than was paid. */
  get rest(): string {
    return write(minus(read(this.amount) ?? ZERO, read(this.allocated) ?? ZERO))
  }

  /** Ticks a document: all of it, or what the payment has left for it. */
  take(document: Settled) {
    const open = read(document.open.amount) ?? ZERO
    const left: Dec = this.#written === null ? open : (read(this.rest) ?? ZERO)
    const share = compare(left, ZERO) > 0 && compare(left, open) < 0 ? left : open
    this.taken[document.id] = write(share)
  }

  leave(id: string) {
    delete this.taken[id]
    this.#own.delete(id)
  }

  begin(documents: Settled[], first: string) {
    this.documents = [...documents].sort((a, b) => Number(b.id === first) - Number(a.id === first))
    this.taken = {}
    this.#own.clear()
    this.#written = null
    const chosen = documents.find(({ id }) => id === first)
    if (chosen) this.take(chosen)
  }
}

/** The smaller of two amounts. */
export function smaller(left: string, right: string): string {
  const [a, b] = [read(left) ?? ZERO, read(right) ?? ZERO]
  return write(compare(a, b) < 0 ? a : b)
}

export function isZero(text: string): boolean {
  return compare(read(text) ?? ZERO, ZERO) === 0
}

export function isNegative(text: string): boolean {
  return compare(read(text) ?? ZERO, ZERO) < 0
}

/** Without its sign. */
export function size(text: string): string {
  const value = read(text) ?? ZERO
  return write(value.units < 0n ? minus(ZERO, value) : plus(value, ZERO))
}
