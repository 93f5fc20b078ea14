import { fmt } from '$lib/i18n/index.svelte'
import type { Spec } from './definition'
import { term } from '$lib/figures/terms'
import { t } from './texts'

export interface Condition {
  dimension: string
  anyOf: string[]
  noneOf: string[]
}

/** What is measured, in a few words. */
export function measureText(spec: Spec): string {
  switch (spec.measure) {
    case 'PERCENTILE':
      return t('measured.PERCENTILE', { percent: spec.percent ?? 50 })
    case 'SHARE':
      return t('measured.SHARE', { of: spec.shareOf ? conditionText(spec.shareOf) : '' })
    case 'QUOTIENT':
      return t('measured.QUOTIENT', {
        of: spec.quantity ? term('quantity', spec.quantity) : t('measure.COUNT'),
        over: spec.over?.quantity ? term('quantity', spec.over.quantity) : t('measure.COUNT'),
      })
    case 'COUNT':
      return t('measure.COUNT')
    default:
      return `${t(`measure.${spec.measure}`)} · ${term('quantity', spec.quantity ?? '')}`
  }
}

export function conditionText({ dimension, anyOf, noneOf }: Condition): string {
  const parts = []
  const name = term('dimension', dimension)
  const words = (values: string[]): string => fmt.list(values.map((value) => term('value', value)))
  if (anyOf.length > 0) parts.push(t('condition.any', { dimension: name, values: words(anyOf) }))
  if (noneOf.length > 0) parts.push(t('condition.none', { dimension: name, values: words(noneOf) }))
  return parts.join(', ')
}

export function windowText({ kind, toDate, days }: Spec['window']): string {
  if (kind === 'ROLLING') return t('window.ROLLING', { count: days ?? 0 })
  const name = t(`window.${kind}`)
  return toDate ? t('window.toDate', { window: name }) : name
}
