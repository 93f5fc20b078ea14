// The server dies. The dashboard says so, comes back by itself, and shows what it has missed.
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { found, importBill, sample } from '../support/api.mjs'
import { close, open, seat } from '../support/browser.mjs'
import { crash, start } from '../support/control.mjs'
import { shot } from '../support/looks.mjs'
import { enter, figure, mark, until } from '../support/people.mjs'

const WAITING = 'Bills waiting for approval'

before(open)
after(close)

test('after the server was killed, the dashboard shows the figures that it missed', async () => {
  const { token } = await found('Atelier Lumen')
  await importBill(token)
  const { page, leave } = await seat()
  await enter(page, token)
  await until(() => figure(page, WAITING), '1', WAITING)
  const state = page.getByRole('main').getByRole('status').filter({ hasText: /Live|Reconnecting|Offline|Connecting/ }).first()
  await state.filter({ hasText: 'Live' }).waitFor()
  const same = await mark(page)

  await crash()
  await state.filter({ hasText: /Reconnecting|Offline/ }).waitFor()
  // What was known still shows, and as of when.
  assert.equal(await figure(page, WAITING), '1')
  assert.match(await page.getByRole('main').innerText(), /as of \d\d:\d\d/)
  await shot(page, 'reconnecting')

  // Nobody is told of what happens before the page is back.
  await start()
  const again = sample().toString().replaceAll('FA-2026-0001', 'FA-2026-0002')
  await importBill(token, 'again.xml', Buffer.from(again))
  await until(() => figure(page, WAITING), '2', WAITING)
  await state.filter({ hasText: 'Live' }).waitFor()
  await same()

  // And goes on from there.
  await importBill(token, 'CII_example1.xml')
  await until(() => figure(page, WAITING), '3', WAITING)
  await leave()
})
