// Figures and days as people write them. Amounts are exact decimals in strings: they are never turned into floats.
import { session } from '$lib/session.svelte'
import { i18n, number } from './index.svelte'

type Numeric = string | number | bigint

const tag = () => (i18n.locale === 'en' ? 'en-GB' : 'fr-FR')

const days = new Map<string, Intl.DateTimeFormat>()
function day(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = tag() + JSON.stringify(options)
  let format = days.get(key)
  if (!format) days.set(key, (format = new Intl.DateTimeFormat(tag(), options)))
  return format
}

const exact = (value: Numeric) => value as number

export const fmt = {
  /** An amount with its currency: `fmt.money('1234.50', 'EUR')`. */
  money(amount: Numeric, currency: string, options: { compact?: boolean; sign?: boolean; whole?: boolean } = {}): string {
    return number(i18n.locale, {
      style: 'currency',
      currency,
      ...(options.compact && { notation: 'compact', maximumFractionDigits: 1 }),
      ...(options.whole && { maximumFractionDigits: 0, minimumFractionDigits: 0 }),
      ...(options.sign && { signDisplay: 'exceptZero' }),
    }).format(exact(amount))
  },
  /** An amount without its currency, where the column's head tells it. */
  amount(amount: Numeric, digits = 2): string {
    return number(i18n.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(exact(amount))
  },
  number(value: Numeric, options: Intl.NumberFormatOptions = {}): string {
    return number(i18n.locale, { maximumFractionDigits: 2, ...options }).format(exact(value))
  },
  /** A share: 0.125 is 12.5 %. */
  percent(share: Numeric, digits = 1, sign = false): string {
    const signDisplay = sign ? 'exceptZero' : 'auto'
    return number(i18n.locale, { style: 'percent', maximumFractionDigits: digits, signDisplay }).format(exact(share))
  },
  /** A calendar day, `2026-11-24`. */
  date(value: string | null | undefined, style: 'short' | 'long' | 'month' = 'short'): string {
    if (!value) return '–'
    const options: Record<typeof style, Intl.DateTimeFormatOptions> = {
      short: { day: '2-digit', month: 'short', year: 'numeric' },
      long: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
      month: { month: 'long', year: 'numeric' },
    }
    return day({ ...options[style], timeZone: 'UTC' }).format(new Date(`${value.slice(0, 10)}T00:00:00Z`))
  },
  /** A moment, in the company's time zone. */
  dateTime(value: string | Date | null | undefined, seconds = false): string {
    if (!value) return '–'
    const timeStyle = seconds ? 'medium' : 'short'
    return day({ dateStyle: 'medium', timeStyle, timeZone: session.timeZone }).format(new Date(value))
  },
  /** A time of day, in the company's time zone. */
  time(value: string | Date): string {
    return day({ timeStyle: 'medium', timeZone: session.timeZone }).format(new Date(value))
  },
  /** How long ago, or until when, beside another moment. */
  relative(value: string | Date, now: Date = new Date()): string {
    const seconds = Math.round((new Date(value).getTime() - now.getTime()) / 1000)
    const steps: [Intl.RelativeTimeFormatUnit, number][] = [
      ['year', 31_536_000],
      ['month', 2_592_000],
      ['week', 604_800],
      ['day', 86_400],
      ['hour', 3_600],
      ['minute', 60],
    ]
    const format = new Intl.RelativeTimeFormat(tag(), { numeric: 'auto' })
    for (const [unit, size] of steps) {
      if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit)
    }
    return format.format(seconds, 'second')
  },
  /** How long, from milliseconds: `3 d 4 h`, `12 min`, `850 ms`; the two largest units. */
  duration(ms: number): string {
    if (ms < 1000) return unit(Math.round(ms), 'millisecond')
    const parts: [string, number][] = [
      ['day', 86_400_000],
      ['hour', 3_600_000],
      ['minute', 60_000],
      ['second', 1000],
    ]
    const from = parts.findIndex(([, size]) => ms >= size)
    let rest = ms
    const said = parts.slice(from, from + 2).map(([name, size]) => {
      const count = Math.floor(rest / size)
      rest -= count * size
      return count > 0 ? unit(count, name) : ''
    })
    return said.filter(Boolean).join('\u00a0')
  },
  /** Names in a row, with the language's "and". */
  list(values: string[]): string {
    return new Intl.ListFormat(tag()).format(values)
  },
  size(bytes: number): string {
    if (bytes < 1000) return unit(bytes, 'byte')
    return bytes < 1_000_000 ? unit(Math.round(bytes / 1000), 'kilobyte') : unit(Math.round(bytes / 100_000) / 10, 'megabyte')
  },
}

function unit(value: number, name: string): string {
  return number(i18n.locale, { style: 'unit', unit: name, unitDisplay: 'short' }).format(value)
}
