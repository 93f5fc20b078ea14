// What a page looks like, to people and to what reads it for them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { picture } from './pictures.mjs'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/**
 * What axe finds wrong in a page. It comes in by the debugger, which the page's content policy does not concern.
 * @param {import('playwright-core').Page} page
 */
export async function axe(page, where = page.url()) {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axeSource)
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      resultTypes: ['violations'],
    }),
  )
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, any, all, none }) => {
      const why = [...any, ...all, ...none].map(({ message }) => message).join('; ')
      return { where, what: `${id}: ${help}\n    ${html.slice(0, 300)}\n    ${why}` }
    }),
  )
}

/** Nothing of a page hangs over its side. */
export async function fits(page) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  if (over <= 0) return []
  const widest = await page.evaluate(() => {
    const width = document.documentElement.clientWidth
    const over = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > width + 1)
    return over.slice(0, 3).map((one) => one.outerHTML.slice(0, 120))
  })
  const what = `hangs over the side\n    ${widest.join('\n    ')}`
  return [{ where: `${new URL(page.url()).pathname} ${page.viewportSize().width} by ${over} px`, what }]
}

/** A picture in target/e2e. */
export async function shot(page, name) {
  await page.screenshot({ path: picture(name) })
}

/** The element with the focus, as its user knows it: what it is, and its name. */
export async function focused(page) {
  return page.evaluate(() => {
    const at = document.activeElement
    if (!at) return ''
    const label = at.labels?.[0]?.textContent ?? at.getAttribute('aria-label') ?? at.textContent ?? ''
    return `${at.tagName.toLowerCase()} ${label.replace(/\s+/g, ' ').trim()}`
  })
}

/** Nothing was found; what was is told once, with all the places where it was. */
export function none(found) {
  const places = new Map()
  for (const { where, what } of found) places.set(what, [...(places.get(what) ?? []), where])
  const told = [...places].map(([what, where]) => `${what}\n    at ${where.join(', ')}`)
  if (told.length > 0) assert.fail(`${told.length} found:\n${told.join('\n')}`)
}
