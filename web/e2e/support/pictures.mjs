// Where pictures are kept: target/e2e.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = process.env.COULISSE_E2E_SHOTS ?? fileURLToPath(new URL('../../../target/e2e', import.meta.url))

/** The file of a picture. */
export function picture(name) {
  mkdirSync(folder, { recursive: true })
  return join(folder, `${name}.png`)
}
