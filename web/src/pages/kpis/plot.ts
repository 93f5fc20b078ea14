import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

/** A level across the drawing: the target, a threshold. */
export interface Rule {
  value: number
  label: string
  tone: 'muted' | 'warn' | 'bad'
}

export interface Drawing {
  /** Lengths, the oldest first; null where nothing was measured. */
  values: (number | null)[]
  /** The same points of the former period, if it is shown. */
  former: (number | null)[] | null
  bars: boolean
  rules: Rule[]
  /** The name of a point below the axis. */
  name: (index: number) => string
  /** A length in words, short. */
  scale: (value: number) => string
  width: number
  height: number
  /** A point is under the pointer, or none. */
  hover: (index: number | null) => void
  pick: (index: number) => void
}

type Ink = Record<'accent' | 'muted' | 'line' | 'faint' | 'warn' | 'bad', string>

/** The colours of the theme as the canvas needs them: resolved. */
function inks(host: HTMLElement): Ink {
  const probe = document.createElement('span')
  probe.hidden = true
  host.append(probe)
  const of = (name: string): string => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const ink: Ink = {
    accent: of('accent'),
    muted: of('muted'),
    line: of('line'),
    faint: of('faint'),
    warn: of('warn'),
    bad: of('bad'),
  }
  probe.remove()
  return ink
}

/** A colour with less weight. */
const thin = (color: string, share: number): string =>
  `color-mix(in srgb, ${color} ${Math.round(share * 100)}%, transparent)`

function extent(drawing: Drawing): [number, number] {
  const all = [...drawing.values, ...(drawing.former ?? [])].filter((value) => value !== null)
  const rules = drawing.rules.map((rule) => rule.value)
  let low = Math.min(...all, ...rules)
  let high = Math.max(...all, ...rules)
  if (!Number.isFinite(low)) return [0, 1]
  // Bars stand on zero; lines may float, but not so near that a ripple looks like a storm.
  if (drawing.bars || low > 0) low = Math.min(0, low)
  if (low === high) high = low + (Math.abs(low) || 1)
  const air = (high - low) * 0.06
  return [low < 0 ? low - air : low, high + air]
}

/** Draws; answers the plot, which must be destroyed. */
export function draw(host: HTMLElement, drawing: Drawing): uPlot {
  const ink = inks(host)
  const count = drawing.values.length
  const font = `12px ${getComputedStyle(host).fontFamily}`
  const every = Math.max(1, Math.ceil(count / Math.max(2, Math.floor(drawing.width / 96))))
  const bars = uPlot.paths.bars?.({ size: [0.7, 44, 1], radius: 0.08 })
  const series: uPlot.Series[] = [
    {},
    {
      stroke: ink.accent,
      width: drawing.bars ? 0 : 2,
      fill: drawing.bars ? thin(ink.accent, 0.82) : thin(ink.accent, 0.08),
      ...(drawing.bars && bars ? { paths: bars } : {}),
      points: { show: !drawing.bars && count <= 45, size: 5, fill: ink.accent },
    },
  ]
  if (drawing.former) {
    series.push({ stroke: ink.faint, width: 1.5, dash: [4, 4], points: { show: false } })
  }
  const options: uPlot.Options = {
    width: drawing.width,
    height: drawing.height,
    padding: [12, 26, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: false, range: () => [-0.5, count - 0.5] },
      y: { range: () => extent(drawing) },
    },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { show: !drawing.bars, size: 8, stroke: ink.accent, fill: ink.accent },
    },
    series,
    axes: [
      {
        stroke: ink.muted,
        font,
        gap: 8,
        size: 34,
        grid: { show: false },
        ticks: { show: false },
        splits: () => drawing.values.map((_, index) => index).filter((index) => (count - 1 - index) % every === 0),
        values: (_, splits) => splits.map((index) => drawing.name(index)),
      },
      {
        stroke: ink.muted,
        font,
        gap: 8,
        size: (_, values) => 20 + 7 * Math.max(4, ...(values ?? []).map((value) => value.length)),
        grid: { stroke: ink.line, width: 1 },
        ticks: { show: false },
        space: 48,
        values: (_, splits) => splits.map((value) => drawing.scale(value)),
      },
    ],
    hooks: {
      draw: [(plot) => rules(plot, drawing.rules, ink, font)],
      setCursor: [(plot) => drawing.hover(plot.cursor.idx ?? null)],
    },
  }
  const data: uPlot.AlignedData = [
    drawing.values.map((_, index) => index),
    drawing.values,
    ...(drawing.former ? [drawing.former.slice(0, count)] : []),
  ]
  const plot = new uPlot(options, data, host)
  plot.over.addEventListener('click', () => {
    const { idx } = plot.cursor
    if (idx !== null && idx !== undefined) drawing.pick(idx)
  })
  return plot
}

function rules(plot: uPlot, all: Rule[], ink: Ink, font: string): void {
  const { ctx, bbox } = plot
  const ratio = devicePixelRatio
  ctx.save()
  for (const rule of all) {
    const y = Math.round(plot.valToPos(rule.value, 'y', true))
    if (y < bbox.top || y > bbox.top + bbox.height) continue
    ctx.strokeStyle = ink[rule.tone]
    ctx.fillStyle = ink[rule.tone]
    ctx.lineWidth = ratio
    ctx.setLineDash([5 * ratio, 4 * ratio])
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
    ctx.font = font.replace('12px', `${11 * ratio}px`)
    ctx.textAlign = 'right'
    ctx.textBaseline = 'bottom'
    ctx.fillText(rule.label, bbox.left + bbox.width - 4 * ratio, y - 2 * ratio)
  }
  ctx.restore()
}
