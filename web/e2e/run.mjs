// Runs scenarios against a running server: node e2e/run.mjs NAME…, or all of them.
//
//   COULISSE_E2E_URL      where the server is
//   COULISSE_E2E_CONTROL  the port on which the test that started it ends and starts it again
//   COULISSE_E2E_SHOTS    the folder for pictures; target/e2e without it
//   COULISSE_CHROMIUM     the browser, where it is not found by itself
import { readdirSync } from 'node:fs'
import { run } from 'node:test'
import { tap } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

if (!process.env.COULISSE_E2E_URL) {
  console.error('COULISSE_E2E_URL: where is the server? `make test` starts one')
  process.exit(2)
}
const folder = new URL('scenarios/', import.meta.url)
const names = process.argv.length > 2 ? process.argv.slice(2).map((name) => `${name}.mjs`) : readdirSync(folder)
const files = names.map((name) => fileURLToPath(new URL(name, folder)))

// One at a time: each has a browser of its own, and a figure that moves is waited for.
const tests = run({ files, concurrency: 1, timeout: 900_000 })
tests.on('test:fail', () => {
  process.exitCode = 1
})
tests.compose(tap).pipe(process.stdout)
