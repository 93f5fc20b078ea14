import { describe, expect, it } from 'vitest'
import { digitsOf, netOf, plain, rounded, sum } from '../../src/lib/amounts'
import { read, write } from '../../src/lib/decimal'
import { dayIn, daysBetween, dueOn } from '../../src/lib/day'
import { minus, plus, share, sign } from '../../src/lib/exact'
import { preview } from '../../src/lib/documents/preview'

const dec = (text: string) => read(text) ?? expect.fail(`${text} is no number`)
const line = (net: string, rate = '20', category = 'S') => ({ net: dec(net), category, rate })
const half = (text: string, digits: number) => write(rounded(dec(text), digits))

describe('an amount', () => {
  it('is read as people of either language write it', () => {
    for (const text of ['1234.5', '1234,5', '1 234,5', '1\u202f234,5', '1\u00a0234.5']) expect(plain(text), text).toBe('1234.5')
    for (const text of ['', '-', '.', 'abc', '1.2.3', '1e3', '12€']) expect(plain(text), text).toBeNull()
  })

  it('is added up without losing a cent, however large', () => {
    expect(plus('0.1', '0.2')).toBe('0.3')
    expect(plus('90071992547409931.25', '0.01')).toBe('90071992547409931.26')
    expect(minus('100', '0.001')).toBe('99.999')
    expect(minus('0.05', '0.10')).toBe('-0.05')
    expect(sum(['0.10', '0.20', '', 'x', '-0.05'])).toBe('0.25')
  })

  it('is nothing, above or below it, whatever its digits', () => {
    expect(['0.00', '-0', '0.001', '-12.5'].map(sign)).toEqual([0, 0, 1, -1])
  })

  it('is rounded half away from zero, as the server rounds', () => {
    expect(half('0.125', 2)).toBe('0.13')
    expect(half('0.124999', 2)).toBe('0.12')
    expect(half('-0.125', 2)).toBe('-0.13')
    expect(half('2.5', 0)).toBe('3')
    expect(half('1.005', 2)).toBe('1.01')
    expect(half('7', 2)).toBe('7.00')
  })

  it('is a share of a whole to a hundredth of a percent, and of nothing none', () => {
    expect(share('1', '3')).toBe('0.3333')
    expect(share('2', '3')).toBe('0.6667')
    expect(share('-2', '3')).toBe('-0.6667')
    expect(share('0.5', '100.00')).toBe('0.0050')
    expect(share('1', '0.00')).toBeNull()
  })

  it('has as many digits as its currency', () => {
    expect(['EUR', 'JPY', 'TND', '???'].map(digitsOf)).toEqual([2, 0, 3, 2])
  })
})

describe('the net of a line', () => {
  const net = (quantity: string, price: string, discount = '', currency = 'EUR') => {
    const found = netOf(quantity, price, discount, currency)
    return found && write(found)
  }

  it('is quantity by price less the discount, rounded once', () => {
    expect(net('3', '33.335')).toBe('100.01')
    // Rounded before the discount it would be 90.01.
    expect(net('3', '33.335', '10')).toBe('90.00')
    expect(net('1,5', '100', '12,5')).toBe('131.25')
    expect(net('1', '100', '100')).toBe('0.00')
    expect(net('3', '33.5', '', 'JPY')).toBe('101')
  })

  it('is not guessed while something is no number', () => {
    expect(net('', '10')).toBeNull()
    expect(net('1', 'ten')).toBeNull()
  })
})

describe('the preview of a document', () => {
  it('computes VAT on the sum of each rate, not line by line', () => {
    // Line by line: 3 × round(0.066) = 0.21; on the sum: round(0.198) = 0.20.
    const { net, tax, total, groups } = preview([line('0.33'), line('0.33'), line('0.33')], 'EUR')
    expect({ net, tax, total }).toEqual({ net: '0.99', tax: '0.20', total: '1.19' })
    expect(groups).toEqual([{ category: 'S', rate: '20', base: '0.99', tax: '0.20' }])
  })

  it('rounds each VAT group half up, and sums the rounded groups', () => {
    // 2.5 % of 1.00 and 5 % of 0.50 are 0.025 each: 0.03 and 0.03, never 0.05 for both.
    const { tax } = preview([line('1.00', '2.5'), line('0.50', '5')], 'EUR')
    expect(tax).toBe('0.06')
    expect(preview([line('-1.00', '2.5')], 'EUR').tax).toBe('-0.03')
  })

  it('takes 20 and 20.00 for one rate, but keeps categories apart', () => {
    const { groups } = preview([line('10', '20.00'), line('5', '20'), line('7', '0', 'AE'), line('1', '0', 'E')], 'EUR')
    expect(groups.map(({ category, base }) => [category, base])).toEqual([['AE', '7.00'], ['E', '1.00'], ['S', '15.00']])
  })

  it('of a currency without cents has none', () => {
    expect(preview([line('101', '10')], 'JPY')).toMatchObject({ net: '101', tax: '10', total: '111' })
  })

  it('of nothing is nothing', () => {
    expect(preview([], 'EUR')).toEqual({ net: '0.00', tax: '0.00', total: '0.00', groups: [] })
  })
})

describe('a due date', () => {
  it('counts days, then goes to the end of that month if so agreed', () => {
    expect(dueOn('2026-01-15', 30, false)).toBe('2026-02-14')
    expect(dueOn('2026-01-15', 30, true)).toBe('2026-02-28')
    expect(dueOn('2028-01-31', 0, true)).toBe('2028-01-31')
    expect(dueOn('2026-11-24', 45, true)).toBe('2027-01-31')
    expect(dueOn('', 30, false)).toBeNull()
  })

  it('is told by calendar days, also over the change of clocks', () => {
    expect(daysBetween('2026-03-28', '2026-03-30')).toBe(2)
    expect(daysBetween('2026-10-26', '2026-10-24')).toBe(-2)
  })

  it('depends on the day of the company, not of the browser', () => {
    const late = new Date('2026-12-31T23:30:00Z')
    expect([dayIn('Europe/Paris', late), dayIn('UTC', late), dayIn('America/New_York', late)]).toEqual(['2027-01-01', '2026-12-31', '2026-12-31'])
  })
})
