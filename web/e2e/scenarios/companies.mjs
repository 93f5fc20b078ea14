// Two companies side by side: what happens in one is never seen in the other.
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { found, importBill } from '../support/api.mjs'
import { close, open, seat } from '../support/browser.mjs'
import { enter, figure, mark, until } from '../support/people.mjs'

const WAITING = 'Bills waiting for approval'

before(open)
after(close)

test('a figure moves in its own company alone', async () => {
  const [lumen, canal] = [await found('Atelier Lumen'), await found('Brasserie du Canal')]
  const [first, second] = [await seat(), await seat()]
  await enter(first.page, lumen.token)
  await enter(second.page, canal.token)
  assert.equal(await figure(first.page, WAITING), '0')
  assert.equal(await figure(second.page, WAITING), '0')
  const same = [await mark(first.page), await mark(second.page)]

  await importBill(lumen.token)
  await until(() => figure(first.page, WAITING), '1', WAITING)
  assert.equal(await figure(second.page, WAITING), '0')

  // The second one's own: had the first one's come to it as well, there would be two.
  await importBill(canal.token, 'CII_example1.xml')
  await until(() => figure(second.page, WAITING), '1', WAITING)
  assert.equal(await figure(first.page, WAITING), '1')
  for (const held of same) await held()

  // Nor by an address that was copied: it does not exist there.
  await first.page.goto('/bills')
  await first.page.getByRole('main').getByRole('link', { name: 'FA-2026-0001' }).click()
  await first.page.waitForURL(/bill_/)
  const copied = new URL(first.page.url()).pathname + new URL(first.page.url()).search
  await second.page.goto(copied)
  await second.page.getByText('There is no such document in this company').waitFor()
  assert.equal(await second.page.getByText('FA-2026-0001').count(), 0)
  await first.leave()
  await second.leave()
})

test('two windows of one person work in two companies at once', async () => {
  const [lumen, canal] = [await found('Deux Rives'), await found('Trois Ponts')]
  const { context, page, leave } = await seat()
  await enter(page, lumen.token)
  const other = await context.newPage()
  await enter(other, canal.token)
  for (const [window, name] of [[page, 'Deux Rives'], [other, 'Trois Ponts']]) {
    await window.reload()
    await window.getByRole('button', { name: new RegExp(name) }).waitFor()
  }
  await importBill(canal.token)
  await until(() => figure(other, WAITING), '1', WAITING)
  assert.equal(await figure(page, WAITING), '0')
  await leave()
})
