/** Geometry of a sparkline in pixels: what is drawn, apart from how it is drawn. */
export interface Spark {
  line: string
  area: string
  bars: { x: number; y: number; width: number; height: number }[]
  end: { x: number; y: number } | null
  target: number | null
}

export interface Frame {
  width: number
  height: number
}

const EDGE = 3

/** Maps values to heights; a flow keeps zero on its ground, or small days would look as great as great ones. */
function scale(values: number[], frame: Frame, ground: boolean): (value: number) => number {
  let low = Math.min(...values)
  let high = Math.max(...values)
  if (ground) {
    low = Math.min(0, low)
    high = Math.max(0, high)
  }
  if (low === high) {
    const pad = Math.abs(low) || 1
    low -= ground ? 0 : pad
    high += pad
  }
  const inner = frame.height - 2 * EDGE
  return (value) => round(EDGE + inner * (1 - (value - low) / (high - low)))
}

const round = (value: number): number => Math.round(value * 10) / 10

export function spark(
  points: (number | null)[],
  frame: Frame,
  { bars = false, target = null }: { bars?: boolean; target?: number | null } = {},
): Spark {
  const known = points.filter((point): point is number => point !== null)
  const none: Spark = { line: '', area: '', bars: [], end: null, target: null }
  if (known.length === 0 || frame.width <= 0) return none
  const y = scale(known, frame, bars)
  if (bars) {
    const step = frame.width / points.length
    const width = Math.max(1, round(step * 0.68))
    const zero = y(0)
    return {
      ...none,
      bars: points.map((point, index) => {
        const top = point === null ? zero : y(point)
        const height = Math.max(point ? 1 : 0.75, Math.abs(zero - top))
        return {
          x: round(index * step + (step - width) / 2),
          y: Math.min(top, zero) - (top === zero ? height : 0),
          width,
          height,
        }
      }),
    }
  }
  const step = points.length > 1 ? (frame.width - 2 * EDGE) / (points.length - 1) : 0
  const at = (index: number): number => round(EDGE + index * step)
  let line = ''
  let area = ''
  let start: number | null = null
  let end: Spark['end'] = null
  points.forEach((point, index) => {
    if (point !== null) {
      end = { x: at(index), y: y(point) }
      line += `${start === null ? 'M' : 'L'}${end.x} ${end.y}`
      start ??= index
    }
    // An unknown day breaks the line: nothing is drawn where nothing was measured.
    if (start !== null && (point === null || index === points.length - 1)) {
      const last = point === null ? index - 1 : index
      const part = line.slice(line.lastIndexOf('M') + 1)
      area += `M${at(start)} ${frame.height}L${part}L${at(last)} ${frame.height}Z`
      start = null
    }
  })
  const within = target !== null && target >= Math.min(...known) && target <= Math.max(...known)
  return { ...none, line, area, end, target: within ? y(target) : null }
}
