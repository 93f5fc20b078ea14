import type { BoardFragment } from '$gql/pages/dashboard/boards'

export type Board = BoardFragment
export type BoardTile = Board['layout'][number]

/** A layout of all figures, four in a row: for who has no dashboard. */
export function allFigures(keys: readonly string[]): BoardTile[] {
  return keys.map((key, index) => ({
    id: key,
    kpiKey: key,
    x: (index % 4) * 3,
    y: Math.floor(index / 4) * 2,
    width: 3,
    height: 2,
    view: 'TREND',
    dimension: null,
  }))
}
