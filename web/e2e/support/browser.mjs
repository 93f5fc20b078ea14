// The browser, and what every page is held to: it asks no other host, breaks no content policy, and throws nothing.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'
import { picture } from './pictures.mjs'

export const url = process.env.COULISSE_E2E_URL

/** The browser of this machine. The same places as infra/machine.sh. */
function executable() {
  const named = process.env.COULISSE_CHROMIUM
  if (named) return named
  const folders = process.env.PATH.split(delimiter)
  const found = ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .concat(
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    )
    .find((path) => existsSync(path))
  assert.ok(found, 'no Chromium here: infra/machine.sh --test installs it, or COULISSE_CHROMIUM names it')
  return found
}

let browser

/** Starts a browser for the scenarios of a file. */
export async function open() {
  // Its sandbox refuses to run as root, which containers do.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  browser = await chromium.launch({ executablePath: executable(), args })
}

/** Ends it. Who is still there was left in the middle: a picture tells where. */
export async function close() {
  const scenario = process.argv[1].replace(/^.*\/|\.mjs$/g, '')
  const pages = browser?.contexts().flatMap((context) => context.pages()) ?? []
  for (const [at, page] of pages.entries()) {
    await page.screenshot({ path: picture(`failed-${scenario}-${at}`) }).catch(() => undefined)
  }
  await browser?.close()
}

/** Colours change at once: while they change, they are neither the ones nor the others. */
function still() {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync('*, ::before, ::after { transition: none !important }')
  document.adoptedStyleSheets.push(sheet)
}

/**
 * A person's own browser: cookies, storage and windows apart from everybody else's.
 * @param {import('playwright-core').BrowserContextOptions} options
 */
export async function seat(options = {}) {
  const context = await browser.newContext({
    baseURL: url,
    locale: 'en-GB',
    timezoneId: 'Europe/Paris',
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  })
  // Long, for a machine that does much else; nothing waits longer than it must.
  context.setDefaultTimeout(40_000)
  await context.addInitScript(still)
  /** What went wrong in any page of it. */
  const faults = []
  const host = new URL(url).host
  context.on('request', (request) => {
    const asked = new URL(request.url())
    if (!['data:', 'blob:'].includes(asked.protocol) && asked.host !== host) faults.push(`asks ${request.url()}`)
  })
  context.on('console', (message) => {
    // A server that is away is told by the page itself.
    const away = /net::ERR_|WebSocket connection|Failed to load resource/
    if (message.type() === 'error' && !away.test(message.text())) faults.push(`console: ${message.text()}`)
    if (/Content Security Policy|Refused to/.test(message.text())) faults.push(`policy: ${message.text()}`)
  })
  const pending = new Set()
  context.on('request', (request) => pending.add(request))
  // An answer counts as had: the end of a body that nobody reads is not told.
  context.on('response', (response) => pending.delete(response.request()))
  context.on('requestfailed', (request) => pending.delete(request))
  context.on('weberror', (error) => faults.push(`throws: ${error.error().stack ?? error.error()}`))
  return {
    context,
    faults,
    page: await context.newPage(),
    /** Waits until its pages have had all that they asked for; sockets stay open. */
    async idle() {
      const ends = Date.now() + 40_000
      for (let quiet = 0; quiet < 4; quiet = pending.size === 0 ? quiet + 1 : 0) {
        assert.ok(Date.now() < ends, `still asked for: ${[...pending].map((request) => request.url()).join(', ')}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    /** Leaves, and tells what went wrong. */
    async leave() {
      await context.close()
      assert.deepEqual(faults, [])
    },
  }
}
