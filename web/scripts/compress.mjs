// What the server sends compressed is compressed once, here, as small as it gets: `x.js.br` and `x.js.gz` beside `x.js`.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const TEXT = /\.(html|js|css|svg|json|txt|webmanifest)$/

/** @param {Buffer} bytes */
const brotli = (bytes) =>
  promisify(brotliCompress)(bytes, {
    params: {
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  })

/** Writes the compressed forms of a folder's files, where they are smaller. */
export async function compressFolder(/** @type {string} */ folder) {
  const files = (await readdir(folder, { recursive: true, encoding: 'utf8' })).filter(
    (file) => TEXT.test(file) && !file.startsWith('.'),
  )
  await Promise.all(
    files.map(async (file) => {
      const path = join(folder, file)
      const bytes = await readFile(path)
      const forms = [
        ['br', await brotli(bytes)],
        ['gz', await promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION })],
      ]
      for (const [ending, form] of forms) {
        if (form.length < bytes.length) await writeFile(`${path}.${ending}`, form)
      }
    }),
  )
}

/**
 * The plugin that does it after a build.
 * @returns {import('vite').Plugin}
 */
export function compress() {
  return {
    name: 'compress',
    apply: 'build',
    async writeBundle({ dir }) {
      if (dir) await compressFolder(dir)
    },
  }
}
