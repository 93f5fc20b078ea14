// Fails when the first load of the dashboard is heavier than it may be: all scripts that its first sight needs, compressed
// as the server sends them.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

/** The most that it may be, in bytes, as browsers take it (brotli). */
const LIMIT = 45_000
const dist = fileURLToPath(new URL('../dist/', import.meta.url))
const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, 'utf8'))

// The entry, the page, the texts of a language, and what speaks to the server meanwhile; with all that they import.
const live = Object.keys(manifest).filter((key) => key.includes('graphql-ws'))
const needed = new Set()
const add = (key) => {
  const chunk = manifest[key]
  if (!chunk) throw new Error(`there is no chunk ${key}`)
  if (needed.has(chunk.file)) return
  needed.add(chunk.file)
  for (const other of chunk.imports ?? []) add(other)
}
for (const key of ['index.html', 'src/pages/dashboard/Dashboard.svelte', 'src/lib/i18n/fr/common.ts', ...live]) add(key)

let gzip = 0
let brotli = 0
for (const file of [...needed].filter((name) => name.endsWith('.js')).sort()) {
  const content = readFileSync(dist + file)
  const sizes = [
    gzipSync(content, { level: 9 }).length,
    brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length,
  ]
  gzip += sizes[0]
  brotli += sizes[1]
  console.log(`${file.padEnd(44)} ${String(content.length).padStart(7)} ${sizes.map((size) => String(size).padStart(7)).join(' ')}`)
}
console.log(`${'the first load of the dashboard'.padEnd(52)} ${String(gzip).padStart(7)} ${String(brotli).padStart(7)}  (gzip, brotli; at most ${LIMIT})`)
if (needed.size < 3) throw new Error('the chunks of the first load were not found')
process.exitCode = brotli > LIMIT ? 1 : 0
