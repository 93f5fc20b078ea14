// What all ways in have in common.
import { session } from '$lib/session.svelte'
import { go, router } from '$lib/router.svelte'
import type { EnteredFragment } from '$gql/pages/auth/auth'

/** Where somebody wanted to go before they were asked to sign in; only a path of ours. */
export function destination(): string {
  const to = router.query.get('to') ?? '/'
  return isOwnPath(to) && !/^\/(sign-in|sign-up)/.test(to) ? to : '/'
}

/** Whether a path leads nowhere but to this site: `//other.example` and `/\other.example` lead away. */
export function isOwnPath(path: string): boolean {
  if (!/^\/(?![/\\])/.test(path)) return false
  try {
    return new URL(path, location.origin).origin === location.origin
  } catch {
    return false
  }
}

/** Takes up the session of an answer; false when there is none yet. */
export async function entered(answer: EnteredFragment, to = destination()): Promise<boolean> {
  session.keepDevice(answer.deviceToken)
  if (!answer.session) return false
  await session.enter(answer.session)
  go(to, { replace: true, force: true })
  return true
}
