import type { FigureFragment, FigureValueFragment } from '$gql/lib/figures/figures'

export type Figure = FigureFragment
export type Value = FigureValueFragment

export interface Point {
  day: string
  value: Value
}

export interface Comparison {
  from: string
  to: string
  /** The share by which the figure is above (or, negative, below) the former period's. */
  change: string | null
}

export interface Trend {
  points: Point[]
  comparison: Comparison | null
}

/** A value as a length on a drawing, where a float is good enough; null where nothing was measured. */
export function plotted(value: Value, unit: Figure['unit'], currency: string): number | null {
  if (unit !== 'MONEY') return value.number === null ? null : Number(value.number)
  const own = value.amounts.find((amount) => amount.currency === currency) ?? value.amounts[0]
  return own ? Number(own.amount) : 0
}
