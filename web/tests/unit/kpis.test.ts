import { describe, expect, it, vi } from 'vitest'

vi.stubGlobal('location', new URL('http://localhost/'))
vi.stubGlobal('addEventListener', () => undefined)
vi.stubGlobal('document', { documentElement: { dataset: {} } })
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined })

const { former, GRAINS, LENGTHS, span } = await import('../../src/pages/kpis/range')
const { emptySpec, formOf, inputOf, measuresOf, unitOf, windowsOf } = await import('../../src/pages/kpis/specform')
const goals = await import('../../src/pages/kpis/goalform')
const { rulesOf } = await import('../../src/pages/kpis/goal')
type Cube = Parameters<typeof measuresOf>[0]

describe('the days of a figure’s history', () => {
  it('begin with the first day of a step, and end today', () => {
    expect(span('2026-11-24', 'DAY', 30)).toEqual({ from: '2026-10-26', to: '2026-11-24' })
    expect(span('2026-11-24', 'WEEK', 2)).toEqual({ from: '2026-11-16', to: '2026-11-24' })
    expect(span('2026-11-24', 'MONTH', 12)).toEqual({ from: '2025-12-01', to: '2026-11-24' })
    expect(span('2026-11-24', 'QUARTER', 2)).toEqual({ from: '2026-07-01', to: '2026-11-24' })
    expect(span('2026-11-24', 'YEAR', 3)).toEqual({ from: '2024-01-01', to: '2026-11-24' })
  })

  it('take a Sunday for the end of its week', () => {
    expect(span('2026-11-29', 'WEEK', 1).from).toBe('2026-11-23')
    expect(span('2026-11-30', 'WEEK', 1).from).toBe('2026-11-30')
  })

  it('are compared with as many steps that end where they begin', () => {
    for (const grain of GRAINS) {
      for (const points of LENGTHS[grain]) {
        const now = span('2026-11-24', grain, points)
        const before = former(now, grain, points, 'period')
        expect(Date.parse(now.from) - Date.parse(before.to), grain).toBe(86_400_000)
        expect(before.from < before.to, grain).toBe(true)
      }
    }
  })

  it('are compared with the same days of the year before, weeks with the same weekdays', () => {
    expect(former(span('2026-11-24', 'MONTH', 12), 'MONTH', 12, 'year')).toEqual({ from: '2024-12-01', to: '2025-11-24' })
    const weeks = span('2026-11-24', 'WEEK', 4)
    expect(new Date(former(weeks, 'WEEK', 4, 'year').from).getUTCDay()).toBe(1)
  })
})

const dimension = (name: string, kind: string) => ({ name, kind })
const cube = (shape: string, quantities: { name: string; unit: string }[], dimensions: ReturnType<typeof dimension>[]) =>
  ({ name: 'invoices', shape, quantities, dimensions }) as unknown as Cube
const flow = cube('FLOW', [{ name: 'net', unit: 'MONEY' }], [dimension('kind', 'CLOSED'), dimension('customer', 'REFERENCE')])
const balance = cube('BALANCE', [{ name: 'balance', unit: 'MONEY' }], [])

describe('what a figure measures', () => {
  it('is offered only where its records can tell it', () => {
    expect(measuresOf(flow)).toEqual(['SUM', 'COUNT', 'MEAN', 'SHARE', 'QUOTIENT'])
    expect(measuresOf(cube('FLOW', [], []))).toEqual(['COUNT', 'QUOTIENT'])
    expect(windowsOf(balance)).toEqual(['BALANCE'])
    expect(windowsOf(flow)).not.toContain('BALANCE')
    expect(emptySpec(balance).window).toBe('BALANCE')
  })

  it('joins conditions on one dimension into one', () => {
    const form = emptySpec(flow)
    form.filter = [
      { dimension: 'kind', none: false, values: ['invoice'] },
      { dimension: 'kind', none: true, values: ['credit_note'] },
      { dimension: 'customer', none: false, values: [] },
    ]
    expect(inputOf(form).filter).toEqual([{ dimension: 'kind', anyOf: ['invoice'], noneOf: ['credit_note'] }])
  })

  it('sends only what its measure and its window have', () => {
    const form = emptySpec(flow)
    expect(inputOf(form)).toMatchObject({ measure: { kind: 'SUM', quantity: 'net' }, window: { kind: 'MONTH', toDate: false } })
    expect(inputOf({ ...form, measure: 'COUNT' }).measure).toEqual({ kind: 'COUNT' })
    expect(inputOf({ ...form, window: 'ROLLING', toDate: true }).window).toEqual({ kind: 'ROLLING', toDate: false, days: 90 })
  })

  it('stands in the form as it is stored, and is sent as it was', () => {
    const spec = {
      cube: 'invoices',
      filter: [{ dimension: 'kind', anyOf: ['invoice'], noneOf: ['credit_note'] }],
      measure: 'QUOTIENT',
      quantity: 'net',
      percent: null,
      shareOf: null,
      over: { cube: 'bills', filter: [{ dimension: 'state', anyOf: ['posted'], noneOf: [] }], quantity: null },
      window: { kind: 'QUARTER', toDate: true, days: null },
      dimensions: ['kind'],
    } as unknown as Parameters<typeof formOf>[0]
    expect(inputOf(formOf(spec, flow))).toEqual({
      cube: 'invoices',
      filter: [{ dimension: 'kind', anyOf: ['invoice'], noneOf: ['credit_note'] }],
      measure: {
        kind: 'QUOTIENT',
        quantity: 'net',
        over: { cube: 'bills', filter: [{ dimension: 'state', anyOf: ['posted'], noneOf: [] }], quantity: null },
      },
      window: { kind: 'QUARTER', toDate: true },
      dimensions: ['kind'],
    })
  })

  it('says what its goals are counted in', () => {
    const form = emptySpec(flow)
    expect(unitOf(form, flow)).toBe('MONEY')
    expect(unitOf({ ...form, measure: 'COUNT' }, flow)).toBe('COUNT')
    expect(unitOf({ ...form, measure: 'SHARE' }, flow)).toBe('RATIO')
    expect(unitOf({ ...form, measure: 'QUOTIENT', over: { cube: 'bills', filter: [], quantity: '' } }, flow)).toBe('MONEY')
    expect(unitOf({ ...form, measure: 'QUOTIENT', over: { cube: 'bills', filter: [], quantity: 'net' } }, flow)).toBe('RATIO')
  })
})

describe('a goal', () => {
  const typed = (target: string, more = {}) => ({ ...goals.noGoal, target, ...more })

  it('keeps the digits of money, and turns hours and percents into what is stored', () => {
    expect(goals.inputOf(typed('90071992547409931,25'), 'MONEY').target).toBe('90071992547409931.25')
    expect(goals.inputOf(typed('1,5'), 'DURATION').target).toBe('5400000')
    expect(goals.inputOf(typed('12,5'), 'RATIO').target).toBe('0.125')
    expect(goals.inputOf(typed(' '), 'COUNT').target).toBeNull()
  })

  it('is a band or a target, never both', () => {
    const input = goals.inputOf(typed('5', { direction: 'BAND', low: '2', high: '8' }), 'COUNT')
    expect(input).toMatchObject({ target: null, band: { low: '2', high: '8' } })
    expect(goals.inputOf(typed('5', { low: '2', high: '8' }), 'COUNT').band).toBeUndefined()
  })

  it('comes back from the store as it was typed', () => {
    const stored = { unit: 'RATIO', direction: 'DOWN', band: null, target: '0.05', warning: '0.1', critical: null, hysteresis: '0' }
    const form = goals.goalOf(stored as unknown as Parameters<typeof goals.goalOf>[0])
    expect(form).toMatchObject({ target: '5', warning: '10', critical: '', hysteresis: '' })
    expect(goals.inputOf(form, 'RATIO')).toMatchObject({ target: '0.05', warning: '0.1', critical: null, hysteresis: '0' })
  })

  it('of a band has its thresholds on both sides', () => {
    const rules = rulesOf({ direction: 'BAND', band: { low: '10', high: '20' }, target: null, warning: '2', critical: null }, (value) => value)
    expect(rules.map(({ value }) => value)).toEqual([10, 20, 8, 22])
  })
})
