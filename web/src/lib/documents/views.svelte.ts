// Saved views: what a list shows stands in the URL's query, and a name for it is kept on this device.

export interface View {
  name: string
  /** The URL's query, e.g. `payment=OVERDUE&sort=DUE_DATE`, keys in order. */
  query: string
}

/** The parts of a query that make a view: all but what is open beside the list. */
export function viewOf(query: URLSearchParams): string {
  const parts = new URLSearchParams(query)
  parts.delete('open')
  parts.sort()
  return parts.toString()
}

export class Views {
  own: View[] = $state.raw([])
  #key: string

  constructor(list: string, company: string | null) {
    this.#key = `coulisse.views.${list}.${company ?? ''}`
    this.own = stored(this.#key)
  }

  /** Keeps a view; one of the same name is replaced. */
  save(view: View) {
    this.#write([...this.own.filter(({ name }) => name !== view.name), view])
  }

  remove(name: string) {
    this.#write(this.own.filter((view) => view.name !== name))
  }

  #write(views: View[]) {
    this.own = views
    try {
      localStorage.setItem(this.#key, JSON.stringify(views))
    } catch {
      // A full or forbidden store: the view lasts as long as the page.
    }
  }
}

function stored(key: string): View[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    return Array.isArray(value) ? value.filter(isView) : []
  } catch {
    return []
  }
}

function isView(value: unknown): value is View {
  const { name, query } = (value ?? {}) as Partial<View>
  return typeof name === 'string' && typeof query === 'string'
}
