// What the command palette can do: pages register their actions while they are shown.

export interface Action {
  id: string
  label: string
  /** Shown behind the label, e.g. the number of the invoice. */
  hint?: string
  /** Other words that find it. */
  keywords?: string
  combo?: string
  run: () => void | Promise<void>
}

interface Group {
  name: string
  actions: Action[]
}

class Palette {
  open = $state(false)
  groups = $state.raw<Group[]>([])
  #all: Group[] = []

  /** Registers actions under a heading; answers what takes them away. Use it in an `$effect`. */
  register(name: string, actions: Action[]): () => void {
    const group = { name, actions }
    // What ends an effect reads states as they were before: the list is kept apart from its state.
    this.#all = [group, ...this.#all]
    this.groups = this.#all
    return () => {
      this.#all = this.#all.filter((other) => other !== group)
      this.groups = this.#all
    }
  }

  show() {
    this.open = true
  }
}

export const palette = new Palette()
