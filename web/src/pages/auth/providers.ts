// Signing in at a provider: the browser goes there and comes back with a one-time code, which is of use only to the tab
// that went (RFC 7636).
import { query } from '$lib/api/client'
import { SignInProvidersDocument, type SignInProvidersQuery } from '$gql/pages/auth/auth'

export type Provider = SignInProvidersQuery['signInProviders'][number]

const VERIFIER = 'coulisse.verifier'

/** The providers for an address; those for everybody without one. None when they cannot be asked. */
export async function providersFor(email: string | null, signal: AbortSignal): Promise<Provider[]> {
  try {
    return (await query(SignInProvidersDocument, { email }, { signal, token: null })).signInProviders
  } catch {
    return []
  }
}

/** Whether this browser can go there: its secret is made in secure contexts only. */
export function canGo(): boolean {
  return typeof crypto.subtle !== 'undefined'
}

/** Leaves for a provider; it leads back to `to`. */
export async function leaveFor(provider: Provider, to: string) {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)))
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  sessionStorage.setItem(VERIFIER, verifier)
  const url = new URL(provider.path, location.origin)
  url.searchParams.set('challenge', base64url(new Uint8Array(digest)))
  url.searchParams.set('return_to', to === '/' ? '/sign-in' : `/sign-in?to=${encodeURIComponent(to)}`)
  location.assign(url)
}

/** What the browser came back with, once; null when it comes from nowhere. */
export function takeHandoff(): { code: string; verifier: string } | null {
  const code = new URLSearchParams(location.hash.slice(1)).get('handoff')
  if (!code) return null
  // The code leaves the address at once: it is of no use in a history.
  history.replaceState(null, '', location.pathname + location.search)
  const verifier = sessionStorage.getItem(VERIFIER) ?? ''
  sessionStorage.removeItem(VERIFIER)
  return { code, verifier }
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
