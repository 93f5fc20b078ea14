import { describe, expect, it, vi } from 'vitest'

vi.stubGlobal('location', new URL('http://localhost/'))
vi.stubGlobal('addEventListener', () => undefined)
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined })

describe('paths', async () => {
  const { match } = await import('../../src/lib/router.svelte')
  const { routes } = await import('../../src/routes')
  const { isOwnPath } = await import('../../src/pages/auth/entry')

  it('lead to the page of a thing, and to what is made new before that', () => {
    expect(match('/invoices/new', routes)?.params).toEqual({})
    expect(match('/invoices/invoice_01', routes)?.params).toEqual({ id: 'invoice_01' })
    expect(match('/invoices/invoice_01', routes)?.value.load).toBe(match('/invoices', routes)?.value.load)
    expect(match('/nowhere', routes)).toBeNull()
    expect(match('/invoices/a/b', routes)).toBeNull()
  })

  it('are shown without a session only where that is meant', () => {
    const open = routes.filter(([, route]) => route.open).map(([path]) => path)
    expect(open).toEqual(['/sign-in', '/sign-up', '/join', '/embed/:token'])
  })

  it('after a sign-in never lead to another site', () => {
    for (const own of ['/', '/bills?state=RECEIVED', '/join?token=a%2Fb']) expect(isOwnPath(own)).toBe(true)
    for (const other of ['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '', 'bills']) {
      expect(isOwnPath(other), other).toBe(false)
    }
  })
})

describe('what is typed into the palette', async () => {
  const { rank } = await import('../../src/ui/rank')
  const { pathOf } = await import('../../src/ui/find')

  it('finds words wherever they stand, without accents and case', () => {
    expect(rank({ label: 'Réglages' }, 'regl')).toBeGreaterThan(0)
    expect(rank({ label: 'New invoice' }, 'inv new')).toBeGreaterThan(0)
    expect(rank({ label: 'Ledger' }, 'bills')).toBe(0)
    expect(rank({ label: 'Invoices' }, 'inv')).toBeGreaterThan(rank({ label: 'New invoice' }, 'inv'))
  })

  it('opens a thing by its id, and takes nothing else for one', () => {
    expect(pathOf('invoice_01h455vb4pex5vsknk084sn02q')).toBe('/invoices/invoice_01h455vb4pex5vsknk084sn02q')
    expect(pathOf('test_journal_entry_01h455vb4pex5vsknk084sn02q')).toMatch(/^\/ledger\/entries\//)
    expect(pathOf('person_01h455vb4pex5vsknk084sn02q')).toBeNull()
    expect(pathOf('invoice_../../x')).toBeNull()
  })
})

describe('refusals', async () => {
  const { fieldErrors, isConflict } = await import('../../src/lib/forms')

  it('stand at their field, or above the form where it has no such field', () => {
    const errors = [
      { code: 'INVALID', field: 'email', message: 'this is no address' },
      { code: 'INVALID', field: 'lines.2.quantity', message: 'too small' },
      { code: 'OTHER', field: null, message: 'no' },
    ]
    expect(fieldErrors(errors, ['email'])).toEqual({ email: 'This is no address.', '': 'Too small. No.' })
    expect(fieldErrors(errors)['lines.2.quantity']).toBe('Too small.')
    expect(isConflict(errors)).toBe(false)
    expect(isConflict([{ code: 'CONFLICT', field: null, message: '' }])).toBe(true)
  })
})
