// A small router over the browser's history. What a list shows stands in the URL's query, so that it can be kept and sent.

export interface Match<T> {
  value: T
  params: Record<string, string>
}

class Router {
  path = $state(location.pathname)
  /** The query, to read; change it by `setQuery`. */
  query = $state.raw<URLSearchParams>(new URLSearchParams(location.search))
  hash = $state(location.hash)
  /** Grows with each navigation to another path, not with a change of the query. */
  visit = $state(0)
  /** Asked before a path is left; answers false to stay. */
  #guards: (() => boolean)[] = []

  start() {
    addEventListener('popstate', () => this.#read())
    history.scrollRestoration = 'auto'
  }

  /**
   * Goes to a path of the console, such as `/invoices?state=DRAFT`. `still` keeps the place on the page: for what opens
   * beside a list.
   */
  go(to: string, { replace = false, force = false, still = false }: { replace?: boolean; force?: boolean; still?: boolean } = {}) {
    const url = new URL(to, location.href)
    const leaves = url.pathname !== this.path
    if (leaves && !force && this.#guards.some((may) => !may())) return
    if (url.href === location.href && !replace) return
    history[replace ? 'replaceState' : 'pushState'](null, '', url)
    this.#read()
    if (leaves && !still) scrollTo(0, 0)
  }

  back(otherwise: string) {
    if (history.length > 1) history.back()
    else this.go(otherwise, { replace: true })
  }

  /** Changes the query: null or '' removes a key, a list repeats it. Replaces the entry of the history by default. */
  setQuery(change: Record<string, string | string[] | null | undefined>, { replace = true }: { replace?: boolean } = {}) {
    const next = new URLSearchParams(this.query)
    for (const [key, value] of Object.entries(change)) {
      next.delete(key)
      for (const one of Array.isArray(value) ? value : [value]) if (one) next.append(key, one)
    }
    const text = next.toString()
    this.go(this.path + (text ? `?${text}` : ''), { replace })
  }

  /** Asks before a path is left, while there is something to lose. Answers what ends the asking. */
  guard(may: () => boolean): () => void {
    this.#guards.push(may)
    return () => {
      this.#guards = this.#guards.filter((other) => other !== may)
    }
  }

  #read() {
    if (location.pathname !== this.path) this.visit += 1
    this.path = location.pathname
    this.query = new URLSearchParams(location.search)
    this.hash = location.hash
  }
}

export const router = new Router()

/** Goes to a path of the console. */
export const go = router.go.bind(router)

/** A link of the console's own that an event is about. */
function ownLink(event: Event): HTMLAnchorElement | null {
  const anchor = (event.target as Element | null)?.closest('a')
  if (!anchor?.getAttribute('href')?.startsWith('/') || anchor.target || anchor.hasAttribute('download')) return null
  return anchor.dataset.outside === undefined ? anchor : null
}

/**
 * Follows clicks on links inside of a node without loading the page anew, and tells `ahead` where one is about to go. Put
 * once at the root.
 */
export function links(node: HTMLElement, ahead: (path: string) => void) {
  const click = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const anchor = ownLink(event)
    if (!anchor) return
    event.preventDefault()
    router.go(anchor.pathname + anchor.search + anchor.hash)
  }
  const near = (event: Event) => {
    const anchor = ownLink(event)
    if (anchor) ahead(anchor.pathname)
  }
  node.addEventListener('click', click)
  node.addEventListener('pointerover', near)
  node.addEventListener('focusin', near)
  return {
    destroy() {
      node.removeEventListener('click', click)
      node.removeEventListener('pointerover', near)
      node.removeEventListener('focusin', near)
    },
  }
}

/** The first pattern that a path fits, e.g. `/invoices/:id`. */
export function match<T>(path: string, patterns: readonly (readonly [string, T])[]): Match<T> | null {
  const parts = path.split('/').filter(Boolean)
  for (const [pattern, value] of patterns) {
    const wanted = pattern.split('/').filter(Boolean)
    if (wanted.length !== parts.length) continue
    const params: Record<string, string> = {}
    const fits = wanted.every((part, index) => {
      const given = parts[index] ?? ''
      if (!part.startsWith(':')) return part === given
      params[part.slice(1)] = decode(given)
      return true
    })
    if (fits) return { value, params }
  }
  return null
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
