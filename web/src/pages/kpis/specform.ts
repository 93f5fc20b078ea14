import type { CubesQuery } from '$gql/pages/kpis/edit'
import type { KpiMeasureKind, KpiSpecInput, KpiUnit, KpiWindowKind } from '$gql/types'
import type { Spec } from './definition'

export type Cube = CubesQuery['kpiCubes'][number]
export type Dimension = Cube['dimensions'][number]

export interface ConditionForm {
  dimension: string
  none: boolean
  values: string[]
}

/** What a figure measures, as it stands in a form. */
export interface SpecForm {
  cube: string
  filter: ConditionForm[]
  measure: KpiMeasureKind
  quantity: string
  percent: string
  share: ConditionForm
  over: { cube: string; filter: ConditionForm[]; quantity: string }
  window: KpiWindowKind
  toDate: boolean
  days: string
  dimensions: string[]
}

const noCondition: ConditionForm = { dimension: '', none: false, values: [] }

export function emptySpec(cube: Cube | undefined): SpecForm {
  return {
    cube: cube?.name ?? '',
    filter: [],
    measure: cube && cube.quantities.length > 0 ? 'SUM' : 'COUNT',
    quantity: cube?.quantities[0]?.name ?? '',
    percent: '90',
    share: { ...noCondition },
    over: { cube: '', filter: [], quantity: '' },
    window: cube?.shape === 'BALANCE' ? 'BALANCE' : 'MONTH',
    toDate: false,
    days: '90',
    dimensions: [],
  }
}

interface Told {
  dimension: string
  anyOf: string[]
  noneOf: string[]
}
/** A condition of both kinds becomes two rows. */
const rows = (condition: Told): ConditionForm[] => [
  ...(condition.anyOf.length > 0 ? [{ dimension: condition.dimension, none: false, values: condition.anyOf }] : []),
  ...(condition.noneOf.length > 0 ? [{ dimension: condition.dimension, none: true, values: condition.noneOf }] : []),
]

export function formOf(spec: Spec, cube: Cube | undefined): SpecForm {
  return {
    ...emptySpec(cube),
    cube: spec.cube,
    filter: spec.filter.flatMap(rows),
    measure: spec.measure,
    quantity: spec.quantity ?? '',
    percent: String(spec.percent ?? 90),
    share: (spec.shareOf && rows(spec.shareOf)[0]) ?? { ...noCondition },
    over: spec.over
      ? { cube: spec.over.cube, filter: spec.over.filter.flatMap(rows), quantity: spec.over.quantity ?? '' }
      : { cube: '', filter: [], quantity: '' },
    window: spec.window.kind,
    toDate: spec.window.toDate,
    days: String(spec.window.days ?? 90),
    dimensions: spec.dimensions,
  }
}

/** Rows of one dimension are one condition. */
function conditions(form: ConditionForm[]): Told[] {
  const found = new Map<string, Told>()
  for (const { dimension, none, values } of form) {
    if (!dimension || values.length === 0) continue
    const told = found.get(dimension) ?? { dimension, anyOf: [], noneOf: [] }
    found.set(dimension, told)
    told[none ? 'noneOf' : 'anyOf'].push(...values)
  }
  return [...found.values()]
}

export function inputOf(form: SpecForm): KpiSpecInput {
  const quantity = form.quantity || null
  const calendar = !['ROLLING', 'ALL', 'BALANCE', 'BEFORE_TODAY'].includes(form.window)
  return {
    cube: form.cube,
    filter: conditions(form.filter),
    measure: {
      kind: form.measure,
      ...(['SUM', 'MEAN', 'QUOTIENT'].includes(form.measure) && { quantity }),
      ...(form.measure === 'PERCENTILE' && { percent: Number(form.percent) }),
      ...(form.measure === 'SHARE' && { shareOf: conditions([form.share])[0] ?? { dimension: form.share.dimension } }),
      ...(form.measure === 'QUOTIENT' && {
        over: {
          cube: form.over.cube || form.cube,
          filter: conditions(form.over.filter),
          quantity: form.over.quantity || null,
        },
      }),
    },
    window: {
      kind: form.window,
      toDate: calendar && form.toDate,
      ...(form.window === 'ROLLING' && { days: Number(form.days) }),
    },
    dimensions: form.dimensions,
  }
}

/** The measures that a cube can have. */
export function measuresOf(cube: Cube): KpiMeasureKind[] {
  const buckets = cube.dimensions.some(({ kind }) => kind === 'BUCKET')
  const sums = cube.quantities.some(({ unit }) => unit !== 'SCORE')
  return [
    ...(sums ? (['SUM'] as const) : []),
    'COUNT',
    ...(cube.quantities.length > 0 ? (['MEAN'] as const) : []),
    ...(buckets ? (['PERCENTILE'] as const) : []),
    ...(cube.dimensions.some(({ kind }) => kind === 'CLOSED') ? (['SHARE'] as const) : []),
    'QUOTIENT',
  ]
}

/** The windows that a cube can have: a balance is what stands at the end of a day. */
export function windowsOf(cube: Cube): KpiWindowKind[] {
  if (cube.shape === 'BALANCE') return ['BALANCE']
  const calendar: KpiWindowKind[] = ['DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR', 'ROLLING', 'ALL']
  return cube.shape === 'FLOW' ? calendar : ['ALL', 'BEFORE_TODAY']
}

/** What the figure is counted in: for the fields of its goals. */
export function unitOf(form: SpecForm, cube: Cube | undefined): KpiUnit {
  if (form.measure === 'COUNT') return 'COUNT'
  if (form.measure === 'SHARE') return 'RATIO'
  if (form.measure === 'PERCENTILE') return 'DURATION'
  const own = cube?.quantities.find(({ name }) => name === form.quantity)?.unit
  // A sum by a sum is a share; a sum by a count keeps its unit.
  if (form.measure === 'QUOTIENT') return form.over.quantity || !own ? 'RATIO' : own
  return own ?? 'COUNT'
}
