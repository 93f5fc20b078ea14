// The list of a kind of documents, as the URL asks for it: what is shown, chosen, counted and followed.
import { untrack } from 'svelte'
import { follow } from '$lib/api/follow'
import { go, router } from '$lib/router.svelte'
import { session } from '$lib/session.svelte'
import { Counts } from './counts.svelte'
import { Listing, type Page } from './listing.svelte'
import { Selection } from './selection.svelte'
import { viewOf, Views } from './views.svelte'

interface Kind<Row> {
  /** The name of its views, and its path without the slash. */
  name: 'invoices' | 'bills'
  /** The right to read them. */
  right: string
  /** The keys of the URL's query that narrow the list. */
  keys: readonly string[]
  /** Views that everybody has; `counted` ones show how many there are. */
  builtIn: readonly { query: string; counted?: true }[]
  /** The figures that move when one of them changes. */
  figures: readonly string[]
  count: (of: URLSearchParams) => Promise<number>
  read: (of: URLSearchParams, first: number, after: string | null, signal: AbortSignal) => Promise<Connection<Row>>
}

interface Connection<Row> {
  edges: { node: Row }[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
}

/** Make it while a component starts. `current` tells the id of the document that is open beside the list. */
export class Browse<Row extends { id: string; version: number }> {
  readonly listing = new Listing<Row>()
  readonly selection = new Selection()
  readonly views: Views
  readonly counts: Counts
  /** Whether rows must stay where they are. */
  still = $state(false)
  readonly shown = $derived(viewOf(router.query))
  readonly byId = $derived(new Map(this.listing.rows.map((row) => [row.id, row])))
  readonly chosen = $derived(this.listing.rows.filter(({ id }) => this.selection.has(id)))
  readonly #kind: Kind<Row>
  readonly #current: () => string | null
  readonly #counted: string[]

  constructor(kind: Kind<Row>, current: () => string | null) {
    this.#kind = kind
    this.#current = current
    this.#counted = kind.builtIn.filter(({ counted }) => counted).map(({ query }) => query)
    this.views = new Views(kind.name, session.companyId)
    this.counts = new Counts((of) => kind.count(new URLSearchParams(of)))

    $effect(() => {
      const { shown } = this
      if (!session.can(kind.right)) return
      untrack(() => {
        this.selection.clear()
        void this.counts.shown(shown)
        void this.listing.open((first, after, signal) => this.#page(shown, first, after, signal))
      })
    })
    $effect(() => {
      if (!session.can(kind.right)) return
      untrack(() => this.#recount(true))
      return follow([...kind.figures], () => this.refresh())
    })
  }

  /** Whether anything narrows the list. */
  get filtered(): boolean {
    return this.#kind.keys.some((key) => router.query.has(key))
  }

  refresh() {
    void this.listing.refresh({ still: this.still })
    this.#recount(false)
  }

  /** After an act of one's own: rows change where they stand. */
  changed = () => {
    void this.listing.refresh({ still: true })
    this.#recount(false)
  }

  /** After documents came in: they are shown at once. */
  arrived = () => {
    void this.listing.refresh({ still: false })
    this.#recount(true)
  }

  close = () => {
    const search = router.query.toString()
    go(`/${this.#kind.name}${search ? `?${search}` : ''}`, { still: true })
  }

  /** Escape: what is open closes, else what is selected is not any more. */
  cancel = () => {
    if (this.#current()) this.close()
    else this.selection.clear()
  }

  clearFilters = () => {
    router.setQuery(Object.fromEntries(this.#kind.keys.map((key) => [key, null])))
  }

  #recount(now: boolean) {
    void this.counts.all(this.#counted, this.shown, { now })
  }

  async #page(shown: string, first: number, after: string | null, signal: AbortSignal): Promise<Page<Row>> {
    const { edges, pageInfo } = await this.#kind.read(new URLSearchParams(shown), first, after, signal)
    return { rows: edges.map(({ node }) => node), more: pageInfo.hasNextPage, end: pageInfo.endCursor }
  }
}
