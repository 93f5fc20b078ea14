// j and k over rows that are links: the focus goes with them, so that Enter opens and a screen reader tells.
import type { Binding } from '$lib/keys.svelte'

/** Steps over what `[data-row]` marks inside of a node. */
export function walking(root: () => HTMLElement | undefined, labels: { next: string; previous: string }): Binding[] {
  const step = (by: 1 | -1) => {
    const rows = Array.from(root()?.querySelectorAll<HTMLElement>('[data-row]') ?? [])
    const at = rows.findIndex((row) => row.contains(document.activeElement))
    const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + by))
    const row = rows[next]
    const target = row?.matches('a, button') ? row : row?.querySelector<HTMLElement>('a, button')
    target?.focus({ preventScroll: true })
    row?.scrollIntoView({ block: 'nearest' })
  }
  return [
    { combo: 'j', label: labels.next, run: () => step(1) },
    { combo: 'k', label: labels.previous, run: () => step(-1) },
  ]
}
