// Figures that move: one socket for all subscriptions of a page, which goes on where it broke off.
import type { Client } from 'graphql-ws'
import { wiredToken } from './client'
import { connection } from './connection.svelte'
import type { Doc } from './doc'

/** What every stream of the API tells beside its own things. */
interface Event {
  revision: number
  snapshot?: boolean
  gap?: boolean
}

export interface Handlers<R> {
  /** Something has changed: `snapshot` when it is all there is, and not only what changed. */
  next: (data: R, event: { revision: number; snapshot: boolean }) => void
  /** What is known is worth nothing any more: forget it; the snapshot that follows (in `next`) replaces it. */
  gap?: () => void
  /** The stream was refused (a right is missing, the key is unknown) and will not come again by itself. */
  error?: (error: { code: string; message: string }) => void
}

/** Longest wait between two attempts to come back, in milliseconds. */
const LONGEST_WAIT = 10_000
const KEEP_ALIVE = 10_000
const PONG_WITHIN = 5_000

/** What passes by itself. */
const PASSING = new Set(['UNAVAILABLE', 'RATE_LIMITED', 'TOO_MANY_REQUESTS', 'CLOSED'])

let client: Promise<Client> | null = null
let listeners: ((code: number) => void)[] = []

/** Hears of each closing of the socket, by its code. */
export function onClosed(hear: (code: number) => void) {
  listeners.push(hear)
  return () => {
    listeners = listeners.filter((other) => other !== hear)
  }
}

/**
 * Follows a subscription; answers what ends it. After a break it goes on by itself, from the last revision it saw: the
 * document must take `$afterRevision: Int`, and its one field must tell `revision snapshot gap`.
 */
export function live<R, V extends { afterRevision?: number | null }>(
  doc: Doc<R, V>,
  variables: Omit<V, 'afterRevision'> & { afterRevision?: number | null },
  handlers: Handlers<R>,
): () => void {
  let over = false
  let end = () => undefined as void
  let timer: ReturnType<typeof setTimeout> | undefined
  // graphql-ws writes these anew each time that it comes back.
  const current: Record<string, unknown> = { ...variables }
  const start = async () => {
    const opened = await open()
    if (over) return
    end = opened.subscribe<R>(
      { query: doc, variables: current },
      {
        next({ data, errors }) {
          const wrong = errors?.[0]
          if (wrong) handlers.error?.({ code: String(wrong.extensions?.code ?? 'FAULT'), message: wrong.message })
          if (!data) return
          const event = Object.values(data as Record<string, Event | null>)[0]
          if (!event) return
          connection.heard()
          if (event.gap) handlers.gap?.()
          current.afterRevision = event.revision
          handlers.next(data, { revision: event.revision, snapshot: event.snapshot ?? false })
        },
        error(error) {
          const first = Array.isArray(error) ? (error[0] as { message: string; extensions?: { code?: string } }) : null
          const code = first?.extensions?.code ?? 'CLOSED'
          if (PASSING.has(code)) again()
          else handlers.error?.({ code, message: first?.message ?? 'The connection has ended.' })
        },
        // The server ends streams when it is put out of service, and when rights have changed: they go on anew.
        complete: () => again(),
      },
    )
  }
  const again = () => {
    if (over) return
    clearTimeout(timer)
    timer = setTimeout(() => void start(), 1000 + Math.random() * 1000)
  }
  void start()
  return () => {
    over = true
    clearTimeout(timer)
    end()
  }
}

// When a page is left while the socket waits to come back, graphql-ws rejects a promise that nobody holds any more.
addEventListener('unhandledrejection', (event) => {
  const { code, reason } = (event.reason ?? {}) as { code?: number; reason?: string }
  if (code === 1000 && reason === 'All Subscriptions Gone') event.preventDefault()
})

/** Ends the socket, and what runs over it; the next `live` opens another. For a change of who is signed in. */
export async function closeLive() {
  const old = client
  client = null
  connection.state = 'idle'
  await (await old)?.dispose()
}

function open(): Promise<Client> {
  client ??= import('graphql-ws').then(({ createClient }) => build(createClient))
  return client
}

function build(createClient: typeof import('graphql-ws').createClient): Client {
  const url = new URL('/graphql/ws', location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  let pong: ReturnType<typeof setTimeout> | undefined
  const made: Client = createClient({
    url: url.href,
    lazy: true,
    lazyCloseTimeout: 3_000,
    keepAlive: KEEP_ALIVE,
    connectionParams: () => {
      const token = wiredToken()
      return token ? { authorization: `Bearer ${token}` } : {}
    },
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait: async (retries) => {
      const wait = Math.min(LONGEST_WAIT, 250 * 2 ** Math.min(retries, 6))
      await soonerOnline(wait * (0.5 + Math.random() / 2))
    },
    on: {
      connecting: (again) => {
        connection.state = again || connection.asOf ? 'reconnecting' : 'connecting'
      },
      connected: () => {
        connection.state = 'live'
        connection.heard()
      },
      ping: (received) => {
        // A socket that does not answer is dead, though nobody has said so: it is given up, which brings another.
        if (!received) pong = setTimeout(() => made.terminate(), PONG_WITHIN)
      },
      pong: (received) => {
        if (!received) return
        clearTimeout(pong)
        connection.heard()
      },
      closed: (event) => {
        clearTimeout(pong)
        const { code = 1006 } = event as { code?: number }
        if (connection.state !== 'idle') connection.state = navigator.onLine ? 'reconnecting' : 'offline'
        if (code === 1000) connection.state = 'idle'
        for (const hear of listeners) hear(code)
      },
    },
  })
  return made
}

/** Waits, but no longer than until the browser is online again. */
function soonerOnline(wait: number): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(finish, wait)
    addEventListener('online', finish)
    function finish() {
      clearTimeout(timer)
      removeEventListener('online', finish)
      done()
    }
  })
}
