// Tells a list when it may have changed: by the figures that are made of its rows, and when the reader comes back.
import { live } from './live'
import { PulseDocument } from '$gql/lib/api/pulse'

/** Drafts move no figure: they are asked for this often while the page is looked at, in milliseconds. */
const SELDOM = 45_000
/** No more often than this, however much happens. */
const CALM = 1_500

/** Calls `changed` after each change that may concern the list, a quiet moment apart; answers what ends it. */
export function follow(keys: string[], changed: () => void): () => void {
  let waiting: ReturnType<typeof setTimeout> | undefined
  let last = Date.now()
  let begun = false
  const soon = () => {
    if (document.hidden) return
    waiting ??= setTimeout(() => {
      waiting = undefined
      last = Date.now()
      changed()
    }, Math.max(150, CALM - (Date.now() - last)))
  }
  const end = live(PulseDocument, { keys }, {
    next(_, { snapshot }) {
      // The first snapshot tells where things stand, which the list has just read.
      if (begun || !snapshot) soon()
      begun = true
    },
    // Who may not see figures gets the seldom look alone.
    error: () => undefined,
  })
  const seldom = setInterval(soon, SELDOM)
  const back = () => !document.hidden && soon()
  document.addEventListener('visibilitychange', back)
  addEventListener('online', soon)
  return () => {
    end()
    clearTimeout(waiting)
    clearInterval(seldom)
    document.removeEventListener('visibilitychange', back)
    removeEventListener('online', soon)
  }
}
