// Short words about what was just done. They are read out, and stay while they are looked at.
import { untrack } from 'svelte'
import { asApiError } from '$lib/api/client'
import { told } from '$lib/words.svelte'

export interface Toast {
  id: number
  kind: 'done' | 'error' | 'info'
  text: string
  /** A second line: the request id of an error, say. */
  detail?: string
  action?: { label: string; run: () => void | Promise<void> }
}

interface Options {
  detail?: string
  action?: Toast['action']
  /** How long it stays, in milliseconds; errors stay until closed. */
  stay?: number
}

class Toasts {
  shown = $state<Toast[]>([])
  #next = 1

  done(text: string, options: Options = {}) {
    return this.#add('done', text, options)
  }
  info(text: string, options: Options = {}) {
    return this.#add('info', text, options)
  }
  error(text: string, options: Options = {}) {
    return this.#add('error', text, options)
  }
  /** Tells what was thrown. */
  failed(error: unknown) {
    const wrong = asApiError(error)
    const { requestId } = wrong
    return this.error(told(wrong), { detail: requestId })
  }
  close(id: number) {
    this.shown = this.shown.filter((toast) => toast.id !== id)
  }

  #add(kind: Toast['kind'], text: string, { detail, action, stay }: Options) {
    const id = this.#next++
    this.shown = [...untrack(() => this.shown).slice(-3), { id, kind, text, detail, action }]
    const time = stay ?? (kind === 'error' ? 0 : action ? 10_000 : 5_000)
    if (time > 0) setTimeout(() => this.close(id), time)
    return id
  }
}

export const toast = new Toasts()
