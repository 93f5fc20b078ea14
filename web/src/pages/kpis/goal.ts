import type { KpiUnit } from '$gql/types'
import type { Definition } from './definition'
import type { Rule } from './plot'
import { t } from './texts'

type Goal = Pick<Definition, 'direction' | 'band' | 'target' | 'warning' | 'critical'>

/** The levels of a figure as lines across its drawing. */
export function rulesOf(goal: Goal, write: (value: string) => string): Rule[] {
  const rules: Rule[] = []
  const rule = (value: number, label: string, tone: Rule['tone']): void => {
    if (Number.isFinite(value)) rules.push({ value, label, tone })
  }
  if (goal.band) {
    const [low, high] = [Number(goal.band.low), Number(goal.band.high)]
    rule(low, `${t('band.low')} ${write(goal.band.low)}`, 'muted')
    rule(high, `${t('band.high')} ${write(goal.band.high)}`, 'muted')
    // Of a band, thresholds tell how far outside of it.
    for (const [far, tone] of [
      [goal.warning, 'warn'],
      [goal.critical, 'bad'],
    ] as const) {
      if (far === null) continue
      const label = t(tone === 'warn' ? 'warning' : 'critical')
      rule(low - Number(far), label, tone)
      rule(high + Number(far), label, tone)
    }
    return rules
  }
  if (goal.target !== null) rule(Number(goal.target), `${t('target')} ${write(goal.target)}`, 'muted')
  if (goal.warning !== null) rule(Number(goal.warning), `${t('warning')} ${write(goal.warning)}`, 'warn')
  if (goal.critical !== null) rule(Number(goal.critical), `${t('critical')} ${write(goal.critical)}`, 'bad')
  return rules
}

const HOUR_MS = 3_600_000

/** A number of the unit as people type it: durations in hours, shares in percent. */
export function typed(value: string | null, unit: KpiUnit): string {
  if (value === null) return ''
  if (unit === 'DURATION') return String(Number(value) / HOUR_MS)
  if (unit === 'RATIO') return String(Math.round(Number(value) * 10_000) / 100)
  return value
}

/** What was typed, in the unit; null for nothing. Money keeps its digits: it is not turned into a float. */
export function meant(text: string, unit: KpiUnit): string | null {
  const plain = text.replace(/[\s\u202f\u00a0]/g, '').replace(',', '.')
  if (plain === '') return null
  if (unit === 'DURATION') return String(Math.round(Number(plain) * HOUR_MS))
  if (unit === 'RATIO') return String(Math.round(Number(plain) * 100) / 10_000)
  return plain
}
