// What people do in the console, whichever page a scenario is about.
import assert from 'node:assert/strict'
import { PASSWORD } from './api.mjs'

/** Waits until what is read is what is expected, as somebody who watches would; a figure may take a moment. */
export async function until(read, expected, told = '') {
  let last
  for (const ends = Date.now() + 40_000; Date.now() < ends; ) {
    last = await read()
    if (expected instanceof RegExp ? expected.test(last) : last === expected) return last
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.fail(`${told} is still ${JSON.stringify(last)}, and not ${expected}`)
}

/** Comes in by a session that was opened before, in this tab. */
export async function enter(page, token, path = '/') {
  await page.goto('/sign-in')
  await page.evaluate((token) => sessionStorage.setItem('coulisse.token', token), token)
  await page.goto(path)
}

/** Signs in on the page. */
export async function signIn(page, email, password = PASSWORD) {
  await page.goto('/sign-in')
  await page.getByLabel('E-mail', { exact: true }).fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor()
}

/** What a tile of the dashboard shows as its value. */
export async function figure(page, name) {
  const tile = page.getByRole('article', { name, exact: true })
  await tile.waitFor()
  const text = await tile.innerText()
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.slice(1).find((line) => /^[-–−\p{Sc}\d]/u.test(line.trim()))?.trim() ?? ''
}

/** Notes that this page was not loaded anew: what it shows later has come by itself. */
export async function mark(page) {
  await page.evaluate('window.same = true')
  return async () => assert.equal(await page.evaluate('window.same'), true, 'the page was loaded anew')
}
