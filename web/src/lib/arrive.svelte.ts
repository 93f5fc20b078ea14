// Where the focus goes when a page is come to: its heading, once for each visit.
import { router } from './router.svelte'

let visited = router.visit

export function arrive(heading: HTMLElement) {
  if (router.visit === visited) return
  visited = router.visit
  // Whoever has put the focus elsewhere in the meantime (a panel, a field) keeps it.
  const { activeElement } = document
  const elsewhere = activeElement && activeElement !== document.body && activeElement.closest('main')
  if (!elsewhere) heading.focus({ preventScroll: true })
}
