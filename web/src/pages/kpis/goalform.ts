import type { KpiDirection, KpiUnit } from '$gql/types'
import type { Definition } from './definition'
import { meant, typed } from './goal'

/** What a figure aims at, as it stands in a form. */
export interface GoalForm {
  direction: KpiDirection
  low: string
  high: string
  target: string
  warning: string
  critical: string
  hysteresis: string
}

export interface NamesForm {
  labelFr: string
  labelEn: string
  descriptionFr: string
  descriptionEn: string
}

export const noGoal: GoalForm = {
  direction: 'UP',
  low: '',
  high: '',
  target: '',
  warning: '',
  critical: '',
  hysteresis: '',
}
export const noNames: NamesForm = { labelFr: '', labelEn: '', descriptionFr: '', descriptionEn: '' }

export function goalOf(kpi: Definition): GoalForm {
  const text = (value: string | null): string => typed(value, kpi.unit)
  return {
    direction: kpi.direction,
    low: text(kpi.band?.low ?? null),
    high: text(kpi.band?.high ?? null),
    target: text(kpi.target),
    warning: text(kpi.warning),
    critical: text(kpi.critical),
    hysteresis: Number(kpi.hysteresis) === 0 ? '' : text(kpi.hysteresis),
  }
}

export function namesOf({ labelFr, labelEn, descriptionFr, descriptionEn }: Definition): NamesForm {
  return { labelFr, labelEn, descriptionFr, descriptionEn }
}

export interface GoalInput {
  direction: KpiDirection
  band?: { low: string; high: string }
  target: string | null
  warning: string | null
  critical: string | null
  hysteresis: string
}

/** The form as the API takes it. A band has no target beside it. */
export function inputOf(form: GoalForm, unit: KpiUnit): GoalInput {
  const value = (text: string): string | null => meant(text, unit)
  const band = form.direction === 'BAND'
  return {
    direction: form.direction,
    ...(band && { band: { low: value(form.low) ?? '0', high: value(form.high) ?? '0' } }),
    target: band ? null : value(form.target),
    warning: value(form.warning),
    critical: value(form.critical),
    hysteresis: value(form.hysteresis) ?? '0',
  }
}
