// Somebody signs up, a real e-invoice comes in, it is approved: and a colleague's dashboard moves.
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { ask, letter, PASSWORD, sample } from '../support/api.mjs'
import { close, open, seat } from '../support/browser.mjs'
import { shot } from '../support/looks.mjs'
import { figure, mark, signIn, until } from '../support/people.mjs'

const WAITING = 'Bills waiting for approval'

before(open)
after(close)

test('a new company imports an e-invoice, approves it, and the tile moves in another browser', async () => {
  const email = 'nora@atelier.example'
  const desk = await seat()
  const { page } = desk

  // She founds her company.
  await page.goto('/sign-up')
  await page.getByLabel('Your name').fill('Nora Petit')
  await page.getByLabel('E-mail', { exact: true }).fill(email)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('Legal name').fill('Atelier Petit')
  await page.getByLabel('Legal form').fill('SAS')
  await page.getByLabel('Country').selectOption('FR')
  await page.getByLabel('Currency of the books').selectOption('EUR')
  await shot(page, 'sign-up')
  await page.getByRole('button', { name: 'Found it' }).click()
  await page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor()

  // The letter's link proves her address, and asks for her password.
  const { link } = await letter(email, 'confirm_address')
  const mailbox = await desk.context.newPage()
  await mailbox.goto(link)
  await mailbox.getByRole('textbox').fill(PASSWORD)
  await mailbox.getByRole('button').click()
  await mailbox.getByText('your address is confirmed').waitFor()
  await mailbox.close()

  // At home, she watches the dashboard in another browser.
  const home = await seat()
  await signIn(home.page, email)
  assert.equal(await figure(home.page, WAITING), '0')
  const same = await mark(home.page)

  // She drops the file on the list of bills.
  await page.goto('/bills')
  await page.getByRole('heading', { level: 1, name: 'Bills' }).waitFor()
  const dropped = await page.evaluateHandle((text) => {
    const data = new DataTransfer()
    data.items.add(new File([text], 'facture.xml', { type: 'application/xml' }))
    data.items.add(new File(['no invoice'], 'notes.xml', { type: 'application/xml' }))
    return data
  }, sample().toString())
  for (const type of ['dragenter', 'dragover', 'drop']) {
    await page.getByRole('heading', { level: 1 }).dispatchEvent(type, { dataTransfer: dropped })
  }
  await page.getByText('1 became a bill').waitFor()
  await page.getByText('1 was refused').waitFor()
  await shot(page, 'import')
  await until(() => figure(home.page, WAITING), '1', WAITING)

  // She approves it, by one key.
  await page.goto('/approvals')
  await page.getByRole('heading', { name: 'Atelier Durand SAS' }).waitFor()
  await page.getByText('No finding: the figures add up.').waitFor()
  await page.keyboard.press('a')
  await page.getByText(/Approved FA-2026-0001/).waitFor()
  await until(() => figure(home.page, WAITING), '0', WAITING)
  await same()
  await shot(home.page, 'moved')

  // What the pages say is what the API says.
  const token = await page.evaluate(() => sessionStorage.getItem('coulisse.token'))
  const { bills } = await ask(token, '{ bills(first: 5) { edges { node { number state } } } }')
  assert.deepEqual(bills.edges.map(({ node }) => node), [{ number: 'FA-2026-0001', state: 'APPROVED' }])
  await desk.leave()
  await home.leave()
})
