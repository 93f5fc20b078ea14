// Without a mouse: signing in, finding one's way, deciding about bills. Nothing here clicks.
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { ask, confirm, found, importBill, PASSWORD, sample } from '../support/api.mjs'
import { close, open, seat } from '../support/browser.mjs'
import { focused, none } from '../support/looks.mjs'
import { enter } from '../support/people.mjs'

before(open)
after(close)

/** Presses Tab until what has the focus is called so. */
async function tabTo(page, name) {
  const seen = []
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press('Tab')
    const at = await focused(page)
    if (name.test(at)) return at
    seen.push(at)
  }
  assert.fail(`Tab never comes to ${name}: ${seen.join(' → ')}`)
}

const title = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor()

/** A company with two bills that wait. */
async function waiting() {
  const owner = await found('Atelier Lumen')
  await importBill(owner.token)
  const other = sample().toString().replaceAll('FA-2026-0001', 'FA-2026-0002').replaceAll('20261223', '20261224')
  await importBill(owner.token, 'second.xml', Buffer.from(other))
  return owner
}

test('somebody signs in by keys alone', async () => {
  const { email } = await found('Atelier Lumen')
  await confirm(email)
  const { page, leave } = await seat()
  await page.goto('/sign-in')
  await title(page, 'Sign in')
  if (!/^input E-mail/.test(await focused(page))) await tabTo(page, /^input E-mail/)
  await page.keyboard.type(email)
  await tabTo(page, /^input Password/)
  await page.keyboard.type(PASSWORD)
  await page.keyboard.press('Enter')
  await title(page, 'Dashboard')
  await leave()
})

test('keys lead everywhere, and the focus comes back', async () => {
  const { token } = await waiting()
  const { page, leave } = await seat()
  await enter(page, token)
  await title(page, 'Dashboard')

  // First of all one can leave out the navigation.
  await tabTo(page, /Skip to content/)
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'main')

  // What there is to press.
  await tabTo(page, /^a /)
  const before = await focused(page)
  await page.keyboard.press('?')
  const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
  await help.waitFor()
  for (const listed of ['Go to Bills', 'Search and commands', 'Next figure']) await help.getByText(listed).waitFor()
  await page.keyboard.press('Escape')
  await help.waitFor({ state: 'hidden' })
  assert.equal(await focused(page), before)

  // To a page, by two keys; to another and to a thing, by its name.
  await page.keyboard.press('g')
  await page.keyboard.press('p')
  await title(page, 'Customers and suppliers')
  await page.keyboard.press('Control+k')
  await page.getByRole('dialog').getByRole('combobox').waitFor()
  await page.keyboard.type('ledger')
  await page.getByRole('option', { name: /Ledger/ }).first().waitFor()
  await page.keyboard.press('Enter')
  await title(page, /Ledger|Trial balance/)
  await page.keyboard.press('Control+k')
  await page.getByRole('dialog').getByRole('combobox').waitFor()
  await page.keyboard.type('FA-2026-0002')
  await page.getByRole('option', { name: /FA-2026-0002/ }).first().waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/bills\/bill_/)

  // Letters that are typed into a field are letters.
  await page.keyboard.press('Escape')
  await page.keyboard.press('Control+k')
  await page.getByRole('dialog').getByRole('combobox').waitFor()
  await page.keyboard.type('?gb')
  assert.equal(await page.getByRole('dialog').getByRole('combobox').inputValue(), '?gb')
  await page.keyboard.press('Escape')
  await leave()
})

test('a list is walked and opened, and bills are decided', async () => {
  const { token } = await waiting()
  const { page, leave } = await seat()
  await enter(page, token, '/bills')
  await title(page, 'Bills')
  await page.getByRole('row', { name: /FA-2026-0001/ }).waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/bills\/bill_/)
  await page.keyboard.press('Escape')
  await page.waitForURL(/\/bills(\?|$)/)

  // The first is approved by one key, the second rejected with a reason.
  await page.keyboard.press('g')
  await page.keyboard.press('a')
  await title(page, 'Approvals')
  const mayDecide = page.getByText('No finding: the figures add up.')
  await mayDecide.waitFor()
  await page.keyboard.press('a')
  await page.getByText('Approved FA-2026-0001', { exact: false }).waitFor()
  await page.getByText('FA-2026-0002').first().waitFor()
  await mayDecide.waitFor()
  await page.keyboard.press('r')
  await page.getByLabel('Reason').waitFor()
  // Not without one.
  await page.keyboard.press('Control+Enter')
  await page.getByText('Say why').waitFor()
  await page.keyboard.type('Never ordered')
  await page.keyboard.press('Control+Enter')
  await page.getByText('Rejected FA-2026-0002', { exact: false }).waitFor()

  const { bills } = await ask(token, '{ bills(first: 5) { edges { node { number state } } } }')
  const states = Object.fromEntries(bills.edges.map(({ node }) => [node.number, node.state]))
  assert.deepEqual(states, { 'FA-2026-0001': 'APPROVED', 'FA-2026-0002': 'REJECTED' })
  await leave()
})

test('Tab goes through a page and out again, and one sees where it is', async () => {
  const { token } = await waiting()
  const { page, leave } = await seat()
  for (const path of ['/', '/bills', '/approvals', '/parties', '/settings/security']) {
    await enter(page, token, path)
    await page.getByRole('heading', { level: 1 }).first().waitFor()
    const unseen = []
    let steps = 0
    for (let round = 0; steps < 150; steps += 1) {
      await page.keyboard.press('Tab')
      const at = await page.evaluate(() => {
        const one = document.activeElement
        if (!one || one === document.body) return null
        const style = getComputedStyle(one)
        const around = [one, one.parentElement, one.closest('article, tr, li, label')].filter(Boolean).map((e) => getComputedStyle(e))
        const seen = around.some((s) => (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none')
        const box = one.getBoundingClientRect()
        return { skip: /Skip to content/.test(one.textContent ?? ''), seen: seen && style.visibility !== 'hidden' && box.width > 0, html: one.outerHTML.slice(0, 160) }
      })
      if (at && !at.seen) unseen.push({ where: path, what: `nothing shows that it has the focus\n    ${at.html}` })
      if (at?.skip && (round += 1) === 2) break
    }
    assert.ok(steps > 10 && steps < 150, `${path}: ${steps} steps`)
    none(unseen)
  }
  await leave()
})
