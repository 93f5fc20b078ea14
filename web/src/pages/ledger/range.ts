// Which days a page of the ledger shows: kept in the URL as `from` and `to`, the present year when left out.
import type { LedgerYearsQuery } from '$gql/pages/ledger/ledger'

export type Year = LedgerYearsQuery['fiscalYears'][number]
export type Period = Year['periods'][number]

export interface Range {
  from: string
  to: string
}

/** The fiscal year that a day falls in. */
export function yearOf(years: Year[], day: string): Year | undefined {
  return years.find(({ firstDay, lastDay }) => firstDay <= day && day <= lastDay)
}

/** What the query asks for, else the year of today up to today, else the last year there is. */
export function rangeOf(query: URLSearchParams, years: Year[], today: string): Range {
  const year = yearOf(years, today) ?? years[0]
  const from = query.get('from') ?? year?.firstDay ?? today
  const to = query.get('to') ?? (year && year.lastDay < today ? year.lastDay : today)
  return { from, to }
}

/** The same within one fiscal year, as the general ledger wants it: that of the last day. */
export function withinYear({ from, to }: Range, years: Year[]): Range {
  const year = yearOf(years, to)
  return year && from < year.firstDay ? { from: year.firstDay, to } : { from, to }
}

/** The period that a range is, or `year`, or `today` (the year up to today); null for other dates. */
export function presetOf({ from, to }: Range, year: Year | undefined, today: string): string | null {
  if (!year) return null
  if (from === year.firstDay && to === year.lastDay) return 'year'
  if (from === year.firstDay && to === today) return 'today'
  return year.periods.find(({ firstDay, lastDay }) => firstDay === from && lastDay === to)?.id ?? null
}

/** A day's text as `YYYY-MM-DD` when it is one. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))
}
