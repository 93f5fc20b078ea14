// Every page: axe finds nothing, nothing hangs over the side, and a picture at each size is kept to be looked at.
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { close, open, seat } from '../support/browser.mjs'
import { furnished } from '../support/company.mjs'
import { axe, fits, none, shot } from '../support/looks.mjs'
import { enter } from '../support/people.mjs'

before(open)
after(close)

/** Name and address. */
const OPEN = [
  ['sign-in', '/sign-in'],
  ['sign-up', '/sign-up'],
  ['join', '/join'],
]
const pages = (its) => [
  ['dashboard', '/'],
  ['kpi', '/kpis/bills_waiting'],
  ['alerts', '/alerts'],
  ['invoices', '/invoices'],
  ['invoice', `/invoices/${its.invoice}`],
  ['invoice-draft', `/invoices/${its.draft}`],
  ['invoice-new', '/invoices/new'],
  ['bills', '/bills'],
  ['bill', `/bills/${its.bill}`],
  ['bill-new', '/bills/new'],
  ['approvals', '/approvals'],
  ['ledger', '/ledger'],
  ['ledger-account', `/ledger/accounts/${its.account}`],
  ['ledger-entry', `/ledger/entries/${its.entry}`],
  ['parties', '/parties'],
  ['party', `/parties/${its.party}`],
  ['settings-company', '/settings/company'],
  ['settings-people', '/settings/people'],
  ['settings-roles', '/settings/roles'],
  ['settings-api-keys', '/settings/api-keys'],
  ['settings-security', '/settings/security'],
  ['company-new', '/companies/new'],
  ['nothing-here', '/invoices/invoice_01h455vb4pex5vsknk084sn02q'],
]

/** Waits until the page has its heading, and all that it asked for. */
async function ready({ page, idle }) {
  const heading = page.getByRole('heading', { level: 1 }).first()
  await heading.waitFor().catch(async () => {
    assert.fail(`there is no heading: ${JSON.stringify(await page.locator('body').innerText())}`)
  })
  await idle()
  await page.waitForFunction(() => !document.querySelector('main [aria-busy="true"]'))
}

async function looked(seat, name, path, found) {
  const { page } = seat
  const come = async (width, height) => {
    await page.setViewportSize({ width, height })
    await page.goto(path)
    await ready(seat)
  }
  const picture = async (size, scheme, tested) => {
    await page.emulateMedia({ colorScheme: scheme })
    if (tested) found.push(...(await axe(page, `${path} ${size} ${scheme}`)))
    await shot(page, `${name}-${size}-${scheme}`)
  }
  await come(1280, 900)
  await picture(1280, 'light', true)
  await picture(1280, 'dark', true)
  await come(1920, 1080)
  await picture(1920, 'dark', false)
  await picture(1920, 'light', false)
  found.push(...(await fits(page)))
  await come(390, 844)
  await picture(390, 'light', true)
  await picture(390, 'dark', false)
  found.push(...(await fits(page)))
  // The width of a window of 1280 that is enlarged four times (WCAG 2.2, 1.4.10).
  await page.setViewportSize({ width: 320, height: 700 })
  found.push(...(await fits(page)))
  await page.emulateMedia({ colorScheme: 'light' })
}

test('pages of who is signed out', async () => {
  const guest = await seat()
  const found = []
  for (const [name, path] of OPEN) await looked(guest, name, path, found)
  none(found)
  await guest.leave()
})

test('pages of who is signed in', async (t) => {
  const its = await furnished()
  const owner = await seat()
  await enter(owner.page, its.token)
  for (const [name, path] of pages(its)) {
    await t.test(path, async () => {
      const found = []
      await looked(owner, name, path, found)
      none(found)
      assert.equal(await owner.page.getByRole('main').count(), 1)
    })
  }
  await owner.leave()
})

test('pages in French', async (t) => {
  const its = await furnished('fr')
  const owner = await seat({ locale: 'fr-FR' })
  await enter(owner.page, its.token)
  for (const [name, path] of pages(its)) {
    await t.test(path, async () => {
      await owner.page.goto(path)
      await ready(owner)
      assert.equal(await owner.page.evaluate(() => document.documentElement.lang), 'fr')
      await shot(owner.page, `${name}-1280-fr`)
      none(await fits(owner.page))
    })
  }
  await owner.leave()
})
