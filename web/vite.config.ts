import { svelte } from '@sveltejs/vite-plugin-svelte'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'
import { generate } from './scripts/codegen.mjs'
import { compress } from './scripts/compress.mjs'

const api = process.env.COULISSE_API ?? 'http://127.0.0.1:8080'
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** What every page needs lies in one file: it compresses better than many small ones, and comes at once. */
const BASE = new RegExp(
  '/src/(' +
    [
      'App|shell/|gql/lib/api/session',
      'lib/(api/(client|connection|live|net)|arrive|fresh|keys|palette|router|session|settings|toast|words|i18n/(index|format))\\b',
      'ui/(Badge|Button|ErrorState|Forbidden|Icon|Kbd|Live|Menu|Message|Offline|Page|Skeleton|Spinner|Toaster)\\.',
    ].join('|') +
    ')',
)
/** What a dashboard is drawn with, for the console and for outsiders. */
const FIGURES = /\/src\/(lib\/(exact|figures\/(Board|Change|Sparkline|Tile|figures|show|spark|state|texts|trend))\.|lib\/i18n\/(en|fr)\/dashboard\b)/

/** Types the operations anew when one of them changes, while developing. */
const operations: Plugin = {
  name: 'operations',
  apply: 'serve',
  async configureServer(server) {
    const logged = (error: unknown) => server.config.logger.error(String(error))
    await generate().catch(logged)
    const again = async (file: string) => {
      if (!file.endsWith('.graphql')) return
      await generate().catch(logged)
    }
    server.watcher.on('add', (file) => void again(file)).on('change', (file) => void again(file))
  },
}

export default defineConfig({
  plugins: [svelte(), operations, compress()],
  resolve: {
    alias: { $lib: here('src/lib'), $ui: here('src/ui'), $gql: here('src/gql'), $pages: here('src/pages') },
  },
  build: {
    target: 'es2022',
    // The content policy allows no inline script, and browsers this new preload modules by themselves.
    // Nor does a page need a list of what it needs: it says so itself, and is fetched before it is gone to.
    modulePreload: { polyfill: false, resolveDependencies: (_, deps, { hostType }) => (hostType === 'html' ? deps : []) },
    // One style sheet: pages look the same wherever one comes from, and no script has to know which sheets they need.
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: 'base', test: BASE }, { name: 'figures', test: FIGURES }] } },
      // How long each plugin took is no warning.
      checks: { pluginTimings: false },
    },
    manifest: true,
  },
  server: {
    strictPort: true,
    proxy: {
      '/graphql': { target: api, ws: true, changeOrigin: true, rewriteWsOrigin: true },
      ...Object.fromEntries(
        ['/uploads', '/files', '/sso', '/confirm', '/reset', '/invitation', '/rate', '/outbox', '/demo.json'].map(
          (path) => [path, api],
        ),
      ),
    },
  },
  test: { environment: 'node', include: ['tests/unit/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0])
