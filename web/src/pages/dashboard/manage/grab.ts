import { COLUMNS, type Place } from '$lib/figures/layout'

interface Grab {
  grid: () => HTMLElement | undefined
  from: () => Place
  mode: 'move' | 'size'
  change: (to: Partial<Place>) => void
}

/** Steps between rows and columns, in pixels. */
function steps(grid: HTMLElement): { column: number; row: number } {
  const style = getComputedStyle(grid)
  const gap = parseFloat(style.columnGap) || 0
  return {
    column: (grid.clientWidth + gap) / COLUMNS,
    row: (parseFloat(style.gridAutoRows) || 86) + gap,
  }
}

/** Drags a tile, or its corner, over the grid's cells. */
export function grab(node: HTMLElement, given: Grab) {
  let grabbed = given
  let begin: { x: number; y: number; place: Place } | null = null
  let last = ''

  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return
    begin = { x: event.clientX, y: event.clientY, place: { ...grabbed.from() } }
    node.setPointerCapture(event.pointerId)
  }
  const move = (event: PointerEvent): void => {
    const grid = grabbed.grid()
    if (!begin || !grid) return
    const { column, row } = steps(grid)
    const dx = Math.round((event.clientX - begin.x) / column)
    const dy = Math.round((event.clientY - begin.y) / row)
    if (`${dx},${dy}` === last) return
    last = `${dx},${dy}`
    const { x, y, width, height } = begin.place
    grabbed.change(grabbed.mode === 'move' ? { x: x + dx, y: y + dy } : { width: width + dx, height: height + dy })
  }
  const up = (): void => {
    begin = null
    last = ''
  }

  node.addEventListener('pointerdown', down)
  node.addEventListener('pointermove', move)
  node.addEventListener('pointerup', up)
  node.addEventListener('pointercancel', up)
  return {
    update: (next: Grab) => (grabbed = next),
    destroy() {
      node.removeEventListener('pointerdown', down)
      node.removeEventListener('pointermove', move)
      node.removeEventListener('pointerup', up)
      node.removeEventListener('pointercancel', up)
    },
  }
}
