import { beforeAll, describe, expect, it, vi } from 'vitest'

vi.stubGlobal('location', new URL('http://localhost/'))
vi.stubGlobal('addEventListener', () => undefined)
vi.stubGlobal('document', { documentElement: { dataset: {} } })
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined })

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ')

describe('figures', async () => {
  const { fmt } = await import('../../src/lib/i18n/index.svelte')
  const { settings } = await import('../../src/lib/settings.svelte')
  beforeAll(() => {
    settings.locale = 'en'
  })

  it('keep every cent of amounts that floats would round', () => {
    expect(fmt.money('90071992547409931.25', 'EUR')).toBe('€90,071,992,547,409,931.25')
    expect(fmt.amount('-0.10')).toBe('-0.10')
  })

  it('follow the currency and the language', () => {
    expect(fmt.money('1234.5', 'JPY')).toBe('JP¥1,235')
    settings.locale = 'fr'
    expect(plain(fmt.money('1234.5', 'EUR'))).toBe('1 234,50 €')
    expect(plain(fmt.percent('0.125'))).toBe('12,5 %')
    settings.locale = 'en'
  })

  it('show a calendar day as it is, wherever the browser is', () => {
    expect(fmt.date('2026-01-01')).toBe('01 Jan 2026')
    expect(fmt.date(null)).toBe('–')
  })

  it('tell durations by their two largest units', () => {
    expect(plain(fmt.duration(850))).toBe('850 ms')
    expect(plain(fmt.duration(3 * 86_400_000 + 4 * 3_600_000 + 59_000))).toBe('3 days 4 hrs')
    expect(plain(fmt.duration(61_000))).toBe('1 min 1 sec')
  })
})
