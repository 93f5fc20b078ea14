// Calendar days as the API writes them, `2026-11-24`.

/** The calendar day of a moment in a time zone. */
export function dayIn(zone: string, moment: Date = new Date()): string {
  // Swedish writes days as ISO 8601 does.
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(moment)
}

/** Days from a calendar day to another. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000)
}

/** The day on which a document of that day is due: so many days later, and then, if so, at the end of that month. */
export function dueOn(day: string, days: number, endOfMonth: boolean): string | null {
  const [year, month, date] = day.split('-').map(Number)
  if (!year || !month || !date || !Number.isFinite(days)) return null
  const due = new Date(Date.UTC(year, month - 1, date + days))
  if (endOfMonth) due.setUTCMonth(due.getUTCMonth() + 1, 0)
  return due.toISOString().slice(0, 10)
}
