// One act on many documents: one request each, told apart by its own key, with a report of what failed.
import { asApiError, newKey } from '$lib/api/client'

export interface Target {
  id: string
  version: number
  name: string
}

export interface Outcome extends Target {
  state: 'waiting' | 'working' | 'done' | 'failed'
  why?: string
}

/** Does it to one; throws an `ApiError`, or answers why it was refused. */
export type Act = (target: Target, key: string) => Promise<string | null>

/** As many as are under way at once: enough to be quick, few enough to leave room for others. */
const AT_ONCE = 3

export class Bulk {
  outcomes: Outcome[] = $state.raw([])
  running = $state(false)
  #stopped = false
  #keys = new Map<string, string>()
  #act: Act

  constructor(act: Act) {
    this.#act = act
  }

  get done() {
    return this.outcomes.filter(({ state }) => state === 'done').length
  }

  get failed() {
    return this.outcomes.filter(({ state }) => state === 'failed')
  }

  get waiting() {
    return this.outcomes.filter(({ state }) => state === 'waiting').length
  }

  async run(targets: Target[]) {
    this.outcomes = targets.map((target) => ({ ...target, state: 'waiting' }))
    await this.#work()
  }

  /** Takes up again what failed with the versions that are known now, and what was not tried. */
  async again(current: (id: string) => number | undefined) {
    this.outcomes = this.outcomes.map((outcome) => {
      if (outcome.state !== 'failed') return outcome
      const version = current(outcome.id) ?? outcome.version
      // Another version is another act, and needs another key.
      if (version !== outcome.version) this.#keys.delete(outcome.id)
      return { ...outcome, version, state: 'waiting', why: undefined }
    })
    await this.#work()
  }

  /** Lets what is under way end, and begins nothing more. */
  stop() {
    this.#stopped = true
  }

  async #work() {
    this.running = true
    this.#stopped = false
    const worker = async () => {
      for (;;) {
        const next = this.outcomes.find(({ state }) => state === 'waiting')
        if (!next || this.#stopped) return
        this.#set(next.id, { state: 'working' })
        this.#set(next.id, await this.#one(next))
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    this.running = false
  }

  async #one(target: Outcome): Promise<Partial<Outcome>> {
    const key = this.#keys.get(target.id) ?? newKey()
    this.#keys.set(target.id, key)
    try {
      const why = await this.#act(target, key)
      // A refusal is an answer: asking again is a new act.
      if (why !== null) this.#keys.delete(target.id)
      return why === null ? { state: 'done' } : { state: 'failed', why }
    } catch (error) {
      return { state: 'failed', why: asApiError(error).message }
    }
  }

  #set(id: string, change: Partial<Outcome>) {
    this.outcomes = this.outcomes.map((outcome) => (outcome.id === id ? { ...outcome, ...change } : outcome))
  }
}
