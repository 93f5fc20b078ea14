import { describe, expect, it } from 'vitest'
import * as bills from '../../src/pages/bills/filters'
import * as invoices from '../../src/pages/invoices/filters'
import * as ledger from '../../src/pages/ledger/range'
import { csv, fits, grouped, type BalanceRow } from '../../src/pages/ledger/balance'

const set = (filter: object) => Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))

describe('a list in the address', () => {
  it('shows what its link says', () => {
    const query = new URLSearchParams('state=DRAFT&state=ISSUED&payment=OVERDUE&customer=party_1&q=f2026&dueTo=2026-11-30&sort=DUE_DATE')
    expect(set(invoices.filterOf(query))).toEqual({
      states: ['DRAFT', 'ISSUED'],
      paymentState: 'OVERDUE',
      customerId: 'party_1',
      numberPrefix: 'F2026',
      dueTo: '2026-11-30',
    })
    expect(invoices.orderOf(query)).toBe('DUE_DATE')
    expect(set(bills.filterOf(new URLSearchParams('supplier=party_2&source=UBL&findings=no&q=Ab-1')))).toEqual({
      supplierId: 'party_2',
      source: 'UBL',
      hasFindings: false,
      numberPrefix: 'Ab-1',
    })
  })

  it('is the whole list where the link is old or mistyped, and no error', () => {
    const query = new URLSearchParams('state=GONE&payment=&kind=x&dueTo=tomorrow&q=%20&sort=RANDOM&other=1')
    expect(set(invoices.filterOf(query))).toEqual({})
    expect(set(bills.filterOf(query))).toEqual({})
    expect([invoices.orderOf(query), bills.orderOf(query)]).toEqual(['NEWEST', 'NEWEST'])
  })

  it.each([['invoices', invoices], ['bills', bills]] as const)('of %s is narrowed by each of its keys, and by no other', (_, list) => {
    const sample = (key: string) => {
      const known: Record<string, string> = { state: list.STATES[0], kind: list.KINDS[0], payment: list.PAYMENTS[0], source: 'CII', findings: 'yes' }
      return known[key] ?? (/(From|To)$/.test(key) ? '2026-01-31' : 'x')
    }
    for (const key of list.KEYS) {
      expect(Object.keys(set(list.filterOf(new URLSearchParams({ [key]: sample(key) })))), key).toHaveLength(1)
    }
    const all = new URLSearchParams(list.KEYS.map((key) => [key, sample(key)]))
    expect(Object.keys(list.filterOf(all)).length).toBe(list.KEYS.length)
  })

  it.each([['invoices', invoices], ['bills', bills]] as const)('of %s opens each ready view as its link says', (_, list) => {
    for (const { query } of list.BUILT_IN) {
      const asked = new URLSearchParams(query)
      const narrowing = [...asked.keys()].filter((key) => key !== 'sort')
      expect(Object.keys(set(list.filterOf(asked))), query).toHaveLength(new Set(narrowing).size)
      if (asked.has('sort')) expect(list.orderOf(asked)).toBe(asked.get('sort'))
    }
  })
})

const month = (id: string, firstDay: string, lastDay: string) => ({ id, firstDay, lastDay })
const year = (name: string, periods: ReturnType<typeof month>[] = []) =>
  ({ id: name, name, firstDay: `${name}-01-01`, lastDay: `${name}-12-31`, periods }) as unknown as ledger.Year
const years = [year('2026', [month('nov', '2026-11-01', '2026-11-30')]), year('2025')]
const today = '2026-11-24'

describe('the days of a ledger', () => {
  it('are the present year up to today unless the link says otherwise', () => {
    expect(ledger.rangeOf(new URLSearchParams(), years, today)).toEqual({ from: '2026-01-01', to: today })
    expect(ledger.rangeOf(new URLSearchParams('from=2025-03-01&to=2025-03-31'), years, today)).toEqual({ from: '2025-03-01', to: '2025-03-31' })
    expect(ledger.rangeOf(new URLSearchParams(), years, '2027-02-01')).toEqual({ from: '2026-01-01', to: '2026-12-31' })
    expect(ledger.rangeOf(new URLSearchParams(), [], today)).toEqual({ from: today, to: today })
  })

  it('stay within one fiscal year, that of the last day', () => {
    expect(ledger.withinYear({ from: '2025-06-01', to: '2026-02-01' }, years)).toEqual({ from: '2026-01-01', to: '2026-02-01' })
  })

  it('have the name of their period where they are one', () => {
    const name = (from: string, to: string) => ledger.presetOf({ from, to }, years[0], today)
    expect(name('2026-01-01', '2026-12-31')).toBe('year')
    expect(name('2026-01-01', today)).toBe('today')
    expect(name('2026-11-01', '2026-11-30')).toBe('nov')
    expect(name('2026-11-02', '2026-11-30')).toBeNull()
  })
})

describe('the trial balance', () => {
  const money = (amount: string) => ({ amount, currency: 'EUR' })
  const row = (number: string, name: string, debit: string, credit: string, closing: string) =>
    ({
      account: { id: number, number, name, nameEn: null, kind: 'ASSET' },
      opening: money('0.00'),
      debit: money(debit),
      credit: money(credit),
      closing: money(closing),
    }) as unknown as BalanceRow
  const rows = [
    row('401', 'Fournisseurs', '10.10', '30.30', '-20.20'),
    row('411', 'Clients', '0.10', '0.00', '0.10'),
    row('512', 'Banque', '20.10', '0.00', '20.10'),
  ]

  it('sums each class exactly, its balances on their own sides', () => {
    const [third] = grouped(rows, true)
    expect(grouped(rows, true).map(({ key }) => key)).toEqual(['4', '5'])
    expect(third?.sums).toEqual({ opening: '0.00', debit: '10.20', credit: '30.30', debitBalance: '0.10', creditBalance: '20.20' })
  })

  it('finds accounts by the beginning of their number and by their name without accents', () => {
    const account = { ...row('681', 'Dépréciation', '0', '0', '0').account }
    expect(fits(account, '68')).toBe(true)
    expect(fits(account, 'deprec')).toBe(true)
    expect(fits(account, '81')).toBe(false)
  })

  it('goes to a spreadsheet as text that it does not run', () => {
    const text = csv([row('411', '=HYPERLINK("x")', '1.00', '0.00', '-1.00')], ['Account', 'Name'], ({ name }) => name)
    expect(text).toBe('"Account","Name"\r\n"411","\'=HYPERLINK(""x"")",0.00,1.00,0.00,-1.00\r\n')
  })
})
