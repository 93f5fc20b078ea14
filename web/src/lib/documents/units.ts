// Units of UN/ECE Recommendation 20 as people write them; an unknown one stays a code.
import { t } from './texts'

const known = ['C62', 'HUR', 'DAY', 'KGM', 'MTR', 'LTR', 'MON'] as const
type Known = (typeof known)[number]

/** The short name; pieces have none, they are counted. */
export function unitOf(code: string | null): string {
  if (code === null || code === 'C62' || code === 'H87') return ''
  return (known as readonly string[]).includes(code) ? t(`unit.${code as Known}`) : code
}

/** The choices of a unit, with the one that stands. */
export function unitChoices(now: string): { value: string; label: string }[] {
  const all = known.map((value) => ({ value: value as string, label: t(`unit.${value}`) }))
  return all.some(({ value }) => value === now) || now === '' ? all : [...all, { value: now, label: now }]
}
