// Who is signed in, in which company, with which rights. Each tab has a session of its own, so that two companies can be
// open side by side; a new tab starts with the last one.
import { ApiError, asApiError, mutate, query, wire } from '$lib/api/client'
import type { UserError } from '$lib/api/doc'
import { closeLive, onClosed } from '$lib/api/live'
import {
  CompanyDocument,
  SwitchCompanyDocument,
  SignOutDocument,
  ViewerDocument,
  type CompanyQuery,
  type ViewerQuery,
} from '$gql/lib/api/session'

const KEY = 'coulisse.token'
const DEVICE = 'coulisse.device'

export type Viewer = ViewerQuery['viewer']
export type Company = CompanyQuery['company']

class Session {
  token = $state<string | null>(null)
  /** `out`: nobody; `loading`: a token, and nothing known yet; `in`: known; `failed`: could not be asked. */
  status = $state<'out' | 'loading' | 'in' | 'failed'>('out')
  viewer = $state.raw<Viewer | null>(null)
  /** Null for who may not read the company's profile: see `companyName` and `companyId`. */
  company = $state.raw<Company | null>(null)
  companyId = $state<string | null>(null)
  error = $state.raw<ApiError | null>(null)
  /** Grows with each change of who is signed in or where: what is shown is made anew then. */
  epoch = $state(0)
  /** Whether the company demands a second factor that this session has not shown. */
  factorDue = $state(false)
  /** Whether the session ended by itself, so that the sign-in page can say so. */
  ended = $state(false)

  /** Whether somebody has just signed out by their own will. */
  left = $state(false)

  #rights = $derived(new Set(this.viewer?.permissions.map(({ name }) => name)))

  /** Whether the viewer has a right, named as the API names it, e.g. `bills.approve`. */
  can(right: string): boolean {
    return this.#rights.has(right)
  }

  get companyName(): string {
    return this.company?.name ?? this.viewer?.companies.find(({ id }) => id === this.companyId)?.name ?? ''
  }

  get currency(): string {
    return this.company?.currency ?? 'EUR'
  }

  get timeZone(): string {
    return this.company?.timeZone ?? 'UTC'
  }

  /** Takes up the session that this tab had, if any. */
  async start() {
    wire({ token: () => this.token, unauthenticated: (token) => this.#lost(token) })
    onClosed((code) => {
      // 4401 and 4403: the token has ended, or its rights have changed.
      if (code === 4401 || code === 4403) void this.refresh()
    })
    const token = sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY)
    if (token) await this.enter({ token })
  }

  /** Begins to act by a token that a sign-in, a switch or a founding answered. */
  async enter({ token, companyId = null }: { token: string; companyId?: string | null }) {
    void closeLive()
    this.token = token
    this.companyId = companyId
    this.viewer = null
    this.company = null
    this.ended = false
    this.left = false
    this.status = 'loading'
    store(token)
    await this.refresh()
    this.epoch += 1
  }

  /** Asks again who is signed in: after a change of rights, of the company, of names. */
  async refresh() {
    const { token } = this
    if (!token) return
    try {
      const [viewer, company] = await Promise.all([
        query(ViewerDocument, {}),
        query(CompanyDocument, {}).catch((error: unknown) => asApiError(error)),
      ])
      if (this.token !== token) return
      this.viewer = viewer.viewer
      this.company = company instanceof ApiError ? null : company.company
      this.factorDue = company instanceof ApiError && company.kind === 'secondFactor'
      this.companyId = this.company?.id ?? this.companyId
      this.error = null
      this.status = 'in'
    } catch (error) {
      if (this.token !== token) return
      const wrong = asApiError(error)
      if (wrong.kind === 'unauthenticated') return
      this.factorDue = wrong.kind === 'secondFactor'
      this.error = wrong
      // What was known stays on show: a break of the connection is no sign-out.
      if (!this.viewer) this.status = this.factorDue ? 'in' : 'failed'
    }
  }

  /** Opens a session in another company of the viewer's. */
  async switchTo(companyId: string): Promise<UserError | null> {
    const { switchCompany } = await mutate(SwitchCompanyDocument, { input: { companyId } }, { once: true })
    if (switchCompany.session) await this.enter(switchCompany.session)
    return switchCompany.userErrors[0] ?? null
  }

  async signOut() {
    await mutate(SignOutDocument, {}, { once: true }).catch(() => undefined)
    this.left = true
    this.#forget()
  }

  /** The secret by which the server knows this device; see `SignInPayload.deviceToken`. */
  get deviceToken(): string | undefined {
    return localStorage.getItem(DEVICE) ?? undefined
  }

  keepDevice(token: string | null | undefined) {
    if (token) localStorage.setItem(DEVICE, token)
  }

  #lost(token: string) {
    if (this.token !== token) return
    this.#forget()
    this.ended = true
  }

  #forget() {
    void closeLive()
    if (localStorage.getItem(KEY) === this.token) localStorage.removeItem(KEY)
    sessionStorage.removeItem(KEY)
    this.token = null
    this.viewer = null
    this.company = null
    this.companyId = null
    this.factorDue = false
    this.status = 'out'
    this.epoch += 1
  }
}

function store(token: string) {
  sessionStorage.setItem(KEY, token)
  localStorage.setItem(KEY, token)
}

export const session = new Session()
