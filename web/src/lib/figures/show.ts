import { fmt, i18n } from '$lib/i18n/index.svelte'
import { minus, sign } from '$lib/exact'
import type { Figure, Value } from './trend'

type Unit = Figure['unit']

export interface Shown {
  /** The figure itself. */
  main: string
  /** The same in further currencies, or the amounts behind a count. */
  more: string[]
}

const NOTHING = '–'

/** The company's currency first, then those with the most records. */
function ordered(value: Value, currency: string): Value['amounts'] {
  const own = (code: string): number => (code === currency ? 0 : 1)
  return [...value.amounts].sort((a, b) => own(a.currency) - own(b.currency) || b.records - a.records)
}

/** A number of the unit in words of the reader's language. */
export function one(number: string | null, unit: Unit, currency: string): string {
  if (number === null) return NOTHING
  switch (unit) {
    case 'MONEY':
      return fmt.money(number, currency)
    case 'DURATION':
      return fmt.duration(Number(number))
    case 'RATIO':
      return fmt.percent(number)
    default:
      return fmt.number(number)
  }
}

export function shown(value: Value, unit: Unit, currency: string): Shown {
  const amounts = ordered(value, currency).map((of) => fmt.money(of.amount, of.currency))
  if (unit !== 'MONEY') return { main: one(value.number, unit, currency), more: amounts }
  const [main = fmt.money('0', currency), ...more] = amounts
  return { main, more }
}

/** Splits the cents from an amount, so that they can be set more quietly. */
export function parts(text: string): [string, string, string] {
  const found = /^(.*\d)([.,]\d{2,3})(\D*)$/.exec(text)
  return found ? [found[1] ?? '', found[2] ?? '', found[3] ?? ''] : [text, '', '']
}

/** By how much a figure has just moved, with its sign; empty where that says nothing. */
export function moved(before: Value, now: Value, unit: Unit): string {
  const signed = (difference: string, text: (plain: string) => string): string => {
    const way = sign(difference)
    return way === 0 ? '' : `${way > 0 ? '+' : '−'}${text(difference.replace('-', ''))}`
  }
  if (unit === 'MONEY') {
    const amount = (value: Value, currency: string): string =>
      value.amounts.find((of) => of.currency === currency)?.amount ?? '0'
    const all = new Set([...now.amounts, ...before.amounts].map((of) => of.currency))
    for (const currency of all) {
      const text = signed(minus(amount(now, currency), amount(before, currency)), (plain) => fmt.money(plain, currency))
      if (text) return text
    }
    return ''
  }
  if (now.number === null || before.number === null) return ''
  return signed(minus(now.number, before.number), (plain) => one(plain, unit, ''))
}

/** A calendar day is the company's: read as UTC so that no reader's own zone moves it. */
const day = (text: string): Date => new Date(`${text}T00:00:00Z`)

/** "1–24 Nov", in the reader's language. */
export function period(from: string | null, to: string | null, years = false): string {
  const form = new Intl.DateTimeFormat(i18n.locale === 'en' ? 'en-GB' : 'fr-FR', {
    day: 'numeric',
    month: 'short',
    ...(years && { year: 'numeric' }),
    timeZone: 'UTC',
  })
  if (from !== null && to !== null) {
    return from === to ? form.format(day(to)) : form.formatRange(day(from), day(to))
  }
  return to === null ? '' : `→ ${form.format(day(to))}`
}

/** Hours and minutes, in the company's time zone: enough for a tile. */
export function clock(at: Date, zone: string): string {
  const tag = i18n.locale === 'en' ? 'en-GB' : 'fr-FR'
  return new Intl.DateTimeFormat(tag, { timeStyle: 'short', timeZone: zone }).format(at)
}
