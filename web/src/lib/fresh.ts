// Parts of the console that could not be fetched: because nothing is within reach, or because a new version has taken the
// place of the one that is shown, whose parts are gone.
import { ApiError } from '$lib/api/client'
import { unreached } from '$lib/api/net.svelte'
import { t } from '$lib/i18n/index.svelte'
import { toast } from '$lib/toast.svelte'

const LAST = 'coulisse.reloaded'
/** A page that is loaded anew more often than this, in milliseconds, is not helped by it. */
const PAUSE = 10_000

/** Loads the page anew, if the server answers and it was not just done. */
export async function reloadIfReachable() {
  const answered = await fetch(location.pathname, { method: 'HEAD', cache: 'no-store' }).then(
    ({ ok }) => ok,
    () => false,
  )
  if (!answered) return unreached()
  if (Date.now() - Number(sessionStorage.getItem(LAST) ?? 0) < PAUSE) return
  sessionStorage.setItem(LAST, String(Date.now()))
  location.reload()
}

/** What a page that could not be fetched is shown as. */
export function notFetched(error: unknown): ApiError {
  const message = error instanceof Error ? error.message : String(error)
  return new ApiError({ kind: 'offline', code: 'OFFLINE', message })
}

/** For what opens over a page: the page stays, with all that was typed into it. */
export function tellNotFetched() {
  toast.info(navigator.onLine ? t('error.chunk') : t('offline.barNever'), {
    action: { label: t('do.reload'), run: () => reloadIfReachable() },
  })
}
