import type { FiguresSubscription } from '$gql/lib/figures/figures'
import { moved } from './show'
import type { Figure } from './trend'

/** A figure's last move: its number sets the flash off, its text says by how much. */
export interface Move {
  count: number
  text: string
}

type Changes = FiguresSubscription['kpis']

/** The company's figures as the stream tells of them. */
export class Figures {
  byKey: Readonly<Record<string, Figure>> = $state.raw({})
  moves: Readonly<Record<string, Move>> = $state.raw({})
  /** The keys in the server's order. */
  keys: readonly string[] = $state.raw([])
  loaded = $state(false)

  /** Takes an event in; answers the keys whose value is another than before. */
  take({ kpis, snapshot, gap }: Changes): string[] {
    const before = this.byKey
    const known = this.loaded && !gap
    const next: Record<string, Figure> = snapshot ? {} : { ...before }
    const moves = { ...this.moves }
    const changed: string[] = []
    for (const figure of kpis) {
      next[figure.key] = figure
      const old = before[figure.key]
      if (old && JSON.stringify(old.value) === JSON.stringify(figure.value)) continue
      changed.push(figure.key)
      if (known && old) {
        moves[figure.key] = {
          count: (moves[figure.key]?.count ?? 0) + 1,
          text: moved(old.value, figure.value, figure.unit),
        }
      }
    }
    this.byKey = next
    this.moves = moves
    if (snapshot || !this.loaded) this.keys = kpis.map((figure) => figure.key)
    this.loaded = true
    return changed
  }

  /** What was shown belongs to nobody any more, as after a change of company. */
  forget(): void {
    this.byKey = {}
    this.moves = {}
    this.keys = []
    this.loaded = false
  }
}
