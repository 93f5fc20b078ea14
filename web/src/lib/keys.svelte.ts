// The keyboard: what is registered is what works, and what `?` shows.

export interface Binding {
  /** `j`, `Enter`, `mod+k` (Ctrl, or Cmd on a Mac), `shift+a`, or keys one after the other: `g i`. */
  combo: string
  label: string
  run: (event: KeyboardEvent) => void
  /** Works while typing in a field as well; Escape and `mod+…` always do. */
  typing?: boolean
  /** Not shown in the list. */
  hidden?: boolean
}

export interface Scope {
  name: string
  bindings: Binding[]
}

/** How long the second key of a sequence may take, in milliseconds. */
const SEQUENCE = 1200

class Keys {
  /** The last registered comes first: what lies on top hears first. */
  scopes = $state.raw<Scope[]>([])
  #all: Scope[] = []
  #before: { key: string; at: number } | null = null

  start() {
    addEventListener('keydown', (event) => this.#hear(event))
  }

  /**
   * Registers shortcuts; answers what takes them away. In a component:
   * `$effect(() => keys.register(t('title'), [{ combo: 'j', label: t('next'), run: next }]))`.
   */
  register(name: string, bindings: Binding[]): () => void {
    const scope: Scope = { name, bindings }
    // Whoever registers in an effect does not depend on what others register; and what ends an effect reads states as they
    // were before, so the list is kept apart from its state.
    this.#all = [scope, ...this.#all]
    this.scopes = this.#all
    return () => {
      this.#all = this.#all.filter((other) => other !== scope)
      this.scopes = this.#all
    }
  }

  #hear(event: KeyboardEvent) {
    if (event.defaultPrevented || event.isComposing || event.key === 'Dead') return
    // An open dialog takes the keys of the page below it, but for those that it has registered itself.
    const modal = document.querySelector('dialog:modal') !== null
    const key = combo(event)
    const now = Date.now()
    const sequence = this.#before && now - this.#before.at < SEQUENCE ? `${this.#before.key} ${key}` : null
    const typing = isTyping(event.target)
    this.#before = null
    for (const wanted of sequence ? [sequence, key] : [key]) {
      for (const { name, bindings } of this.scopes) {
        if (modal && !name.startsWith('dialog:')) continue
        const found = bindings.find((binding) => binding.combo === wanted)
        if (!found) continue
        if (typing && !found.typing && !wanted.startsWith('mod+') && wanted !== 'Escape') continue
        // Enter and the space bar belong to the button or link that has the focus.
        if ((wanted === 'Enter' || wanted === ' ') && isActed(event.target)) continue
        event.preventDefault()
        found.run(event)
        return
      }
    }
    if (typing || key.length > 1) return
    const begins = this.scopes.some(({ bindings }) => bindings.some((binding) => binding.combo.startsWith(`${key} `)))
    if (begins) this.#before = { key, at: now }
  }
}

export const keys = new Keys()

function combo(event: KeyboardEvent): string {
  const mod = isMac ? event.metaKey : event.ctrlKey
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  // Of signs such as `?` the shift key is a part already.
  const shift = event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key))
  return (mod ? 'mod+' : '') + (event.altKey ? 'alt+' : '') + (shift ? 'shift+' : '') + key
}

export const isMac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent)

/** How a combination is written on a key cap. */
export function caps(wanted: string): string[] {
  const names: Record<string, string> = {
    mod: isMac ? '⌘' : 'Ctrl',
    shift: '⇧',
    alt: isMac ? '⌥' : 'Alt',
    Enter: '↵',
    Escape: 'Esc',
    ArrowUp: '↑',
    ArrowDown: '↓',
    ' ': '␣',
  }
  if (wanted === ' ') return ['␣']
  return wanted.split(' ').flatMap((step) => step.split('+').map((part) => names[part] ?? part.toUpperCase()))
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit', 'file'].includes(target.type)
}

function isActed(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('a, button, summary, [role="button"], [role="menuitem"], input, select') !== null
}
