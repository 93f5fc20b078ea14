import { i18n } from '$lib/i18n/index.svelte'
import type { KpiGrain } from '$gql/types'

export interface Span {
  from: string
  to: string
}

/** How many points each grain can show; the first is usual. */
export const LENGTHS: Record<KpiGrain, number[]> = {
  DAY: [30, 90, 180],
  WEEK: [26, 52, 104],
  MONTH: [12, 24, 36],
  QUARTER: [8, 12],
  YEAR: [3],
}
export const GRAINS: readonly KpiGrain[] = ['DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR']

const date = (day: string): Date => new Date(`${day}T00:00:00Z`)
const text = (at: Date): string => at.toISOString().slice(0, 10)

/** The first day of the step that a day lies in. */
function first(day: Date, grain: KpiGrain): Date {
  const [year, month] = [day.getUTCFullYear(), day.getUTCMonth()]
  switch (grain) {
    case 'DAY':
      return day
    case 'WEEK':
      return new Date(day.getTime() - ((day.getUTCDay() + 6) % 7) * 86_400_000)
    case 'MONTH':
      return new Date(Date.UTC(year, month, 1))
    case 'QUARTER':
      return new Date(Date.UTC(year, month - (month % 3), 1))
    case 'YEAR':
      return new Date(Date.UTC(year, 0, 1))
  }
}

function back(day: Date, grain: KpiGrain, steps: number): Date {
  const [year, month, of] = [day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate()]
  switch (grain) {
    case 'DAY':
      return new Date(day.getTime() - steps * 86_400_000)
    case 'WEEK':
      return new Date(day.getTime() - steps * 7 * 86_400_000)
    case 'MONTH':
      return new Date(Date.UTC(year, month - steps, of))
    case 'QUARTER':
      return new Date(Date.UTC(year, month - 3 * steps, of))
    case 'YEAR':
      return new Date(Date.UTC(year - steps, month, of))
  }
}

/** So many steps that end with the one of today. */
export function span(today: string, grain: KpiGrain, points: number): Span {
  const start = first(date(today), grain)
  return { from: text(back(start, grain, points - 1)), to: today }
}

/** The same number of steps before a span, or those of the year before. */
export function former(of: Span, grain: KpiGrain, points: number, how: 'period' | 'year'): Span {
  if (how === 'period') {
    const from = back(date(of.from), grain, points)
    return { from: text(from), to: text(new Date(date(of.from).getTime() - 86_400_000)) }
  }
  // A year of weeks has 52 of them: the same days of the week.
  const shift = (day: string): string =>
    text(grain === 'WEEK' ? back(date(day), 'WEEK', 52) : back(date(day), 'YEAR', 1))
  return { from: shift(of.from), to: shift(of.to) }
}

/** The last day of the step that begins with a day, for who wants to name it. */
export function named(day: string, grain: KpiGrain, long = false): string {
  const tag = i18n.locale === 'en' ? 'en-GB' : 'fr-FR'
  const at = date(day)
  const write = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat(tag, { timeZone: 'UTC', ...options }).format(at)
  switch (grain) {
    case 'DAY':
    case 'WEEK':
      return write(long ? { dateStyle: 'full' } : { day: 'numeric', month: 'short' })
    case 'MONTH':
      return write(long ? { month: 'long', year: 'numeric' } : { month: 'short', year: '2-digit' })
    case 'QUARTER':
      return `${i18n.locale === 'en' ? 'Q' : 'T'}${at.getUTCMonth() / 3 + 1} ${at.getUTCFullYear()}`
    case 'YEAR':
      return String(at.getUTCFullYear())
  }
}
