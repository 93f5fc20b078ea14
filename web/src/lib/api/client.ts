// Queries and mutations over HTTP. What goes wrong is an `ApiError`, whatever layer it comes from.
import { reached, unreached } from './net.svelte'
import type { Doc } from './doc'

export type ErrorKind =
  | 'offline'
  | 'unauthenticated'
  | 'secondFactor'
  | 'forbidden'
  | 'notFound'
  | 'rateLimited'
  | 'invalid'
  | 'fault'

interface Told {
  kind: ErrorKind
  code: string
  message: string
  field?: string
  requestId?: string
  /** Seconds until it makes sense to try again. */
  retryAfter?: number
  /** The right that is missing, e.g. `bills.approve`. */
  permission?: string
}

/** A request that was not answered with what it asked for. */
export class ApiError extends Error {
  readonly kind: ErrorKind
  readonly code: string
  readonly field?: string
  readonly requestId?: string
  readonly retryAfter?: number
  readonly permission?: string

  constructor(told: Told) {
    super(told.message)
    this.name = 'ApiError'
    this.kind = told.kind
    this.code = told.code
    this.field = told.field
    this.requestId = told.requestId
    this.retryAfter = told.retryAfter
    this.permission = told.permission
  }
}

interface Wiring {
  token: () => string | null
  unauthenticated: (token: string) => void
}
let wiring: Wiring = { token: () => null, unauthenticated: () => undefined }

/** Tells the client who is signed in; the session does it once. */
export function wire(to: Wiring) {
  wiring = to
}

/** The token in use, for other ways to the server. */
export function wiredToken(): string | null {
  return wiring.token()
}

type NoVariables = Record<string, never>
type Given<V> = V extends NoVariables ? [variables?: V] : [variables: V]

export interface Options {
  signal?: AbortSignal
  /** Another token than the session's; null for none. */
  token?: string | null
}

/** Asks; throws an `ApiError` when any part of the answer is missing. */
export async function query<R, V>(doc: Doc<R, V>, ...rest: [...Given<V>, options?: Options]): Promise<R> {
  const [variables, options] = rest as unknown as [V | undefined, Options | undefined]
  return whole(await patiently(doc, variables, undefined, options ?? {}, 1))
}

/** Asks, and takes what parts there are: where a viewer may see some of it and not the rest. */
export async function queryPartial<R, V>(
  doc: Doc<R, V>,
  ...rest: [...Given<V>, options?: Options]
): Promise<{ data: R | null; errors: ApiError[] }> {
  const [variables, options] = rest as unknown as [V | undefined, Options | undefined]
  return patiently(doc, variables, undefined, options ?? {}, 1)
}

/**
 * Changes something, once, however often it is sent: each act of a user has one key, and its retries have the same.
 * `once` is for what takes no key (signing in); it is never sent again.
 */
export async function mutate<R, V>(
  doc: Doc<R, V>,
  ...rest: [...Given<V>, options?: Options & { key?: string; once?: boolean }]
): Promise<R> {
  const [variables, options = {}] = rest as unknown as [V | undefined, (Options & { key?: string; once?: boolean })?]
  const key = options.once ? undefined : (options.key ?? newKey())
  return whole(await patiently(doc, variables, key, options, options.once ? 0 : 2))
}

/** A key for one act of a user. Keep it to repeat the very same act. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function whole<R>({ data, errors }: Answer<R>): R {
  const [first] = errors
  if (first) throw first
  if (data === null) throw new ApiError({ kind: 'fault', code: 'NO_DATA', message: 'The answer was empty.' })
  return data
}

interface Answer<R> {
  data: R | null
  errors: ApiError[]
}

/** Tries again after what passes by itself. */
async function patiently<R, V>(
  doc: Doc<R, V>,
  variables: V | undefined,
  key: string | undefined,
  options: Options,
  retries: number,
): Promise<Answer<R>> {
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await send<R>(doc, variables, key, options)
      if (!answer.errors.some((error) => error.code === 'UNAVAILABLE') || attempt >= retries) return answer
    } catch (error) {
      const passes = error instanceof ApiError && (error.kind === 'offline' || error.code === 'UNAVAILABLE')
      if (!passes || attempt >= retries || options.signal?.aborted) throw error
    }
    await new Promise((done) => setTimeout(done, 300 * 3 ** attempt + Math.random() * 200))
  }
}

async function send<R>(doc: string, variables: unknown, key: string | undefined, options: Options): Promise<Answer<R>> {
  const token = options.token === undefined ? wiring.token() : options.token
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    Accept: 'application/graphql-response+json, application/json;q=0.9',
  }
  if (token) headers.Authorization = `Bearer ${token}`
  if (key) headers['Idempotency-Key'] = key
  let response: Response
  let body: Body<R> | null
  try {
    response = await fetch('/graphql', {
      method: 'POST',
      headers,
      body: JSON.stringify({ query: doc, variables }),
      signal: options.signal,
      credentials: 'omit',
    })
    body = (await response.json().catch(() => null)) as Body<R> | null
  } catch (error) {
    if (options.signal?.aborted) throw error
    unreached()
    throw new ApiError({ kind: 'offline', code: 'OFFLINE', message: 'The server is out of reach.' })
  }
  const requestId = response.headers.get('x-request-id') ?? undefined
  const retryAfter = Number(response.headers.get('retry-after')) || undefined
  if (!body && [502, 503, 504].includes(response.status)) {
    unreached()
    throw new ApiError({ kind: 'offline', code: 'UNAVAILABLE', message: 'The server is out of reach.', requestId, retryAfter })
  }
  reached()
  const errors = (body?.errors ?? []).map((error) => told(error, response.status, requestId, retryAfter))
  if (!response.ok && errors.length === 0) {
    errors.push(told({ message: `The server answered ${response.status}.` }, response.status, requestId, retryAfter))
  }
  if (token && errors.some((error) => error.kind === 'unauthenticated')) wiring.unauthenticated(token)
  return { data: body?.data ?? null, errors }
}

interface Raised {
  message: string
  extensions?: { code?: string; field?: string; permission?: string; requestId?: string }
}
interface Body<R> {
  data?: R | null
  errors?: Raised[]
}

function told(error: Raised, status: number, requestId?: string, retryAfter?: number): ApiError {
  const { code = String(status), field, permission } = error.extensions ?? {}
  const kind = kindOf(code, status)
  return new ApiError({
    kind,
    code,
    message: error.message,
    field,
    permission,
    retryAfter,
    requestId: error.extensions?.requestId ?? requestId,
  })
}

function kindOf(code: string, status: number): ErrorKind {
  switch (code) {
    case 'UNAUTHENTICATED':
      return 'unauthenticated'
    case 'SECOND_FACTOR_REQUIRED':
      return 'secondFactor'
    case 'FORBIDDEN':
      return 'forbidden'
    case 'NOT_FOUND':
      return 'notFound'
    case 'BAD_USER_INPUT':
    case 'INVALID':
      return 'invalid'
  }
  if (status === 429 || code === 'RATE_LIMITED' || code === 'TOO_MANY_REQUESTS') return 'rateLimited'
  return 'fault'
}

/** Whatever was thrown, as an `ApiError`. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new ApiError({ kind: 'fault', code: 'CLIENT', message })
}
