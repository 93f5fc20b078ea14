import { describe, expect, it } from 'vitest'
import { COLUMNS, put, room, settle, type Place } from '../../src/lib/figures/layout'
import { spark } from '../../src/lib/figures/spark'
import { stateOf } from '../../src/lib/figures/state'

const tile = (id: string, x: number, y: number, width = 3, height = 2): Place => ({ id, x, y, width, height })
const where = (places: Place[]) => Object.fromEntries(places.map(({ id, x, y }) => [id, [x, y]]))
const crossing = (places: Place[]) =>
  places.some((a) => places.some((b) => a.id < b.id && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height))

describe('a dashboard', () => {
  it('has no gap above a tile', () => {
    expect(where(settle([tile('a', 0, 4), tile('b', 3, 9), tile('c', 0, 12)]))).toEqual({ a: [0, 0], b: [3, 0], c: [0, 2] })
  })

  it('lets others make way for a tile that is put on them', () => {
    const after = put([tile('a', 0, 0), tile('b', 3, 0), tile('c', 0, 2)], 'c', { x: 0, y: 0 })
    expect(where(after)).toEqual({ c: [0, 0], a: [0, 2], b: [3, 0] })
    expect(crossing(after)).toBe(false)
  })

  it('never lets a tile leave the board or become unreadable', () => {
    const board = [tile('a', 0, 0), tile('b', 3, 0)]
    expect(put(board, 'a', { x: 40, y: -3 }).find(({ id }) => id === 'a')).toMatchObject({ x: COLUMNS - 3, y: 0 })
    expect(put(board, 'a', { width: 99, height: 99 }).find(({ id }) => id === 'a')).toMatchObject({ x: 0, width: 12, height: 6 })
    expect(put(board, 'a', { width: 0, height: 0 }).find(({ id }) => id === 'a')).toMatchObject({ width: 2, height: 1 })
  })

  it('stays whole and without crossings whatever is done to it', () => {
    let seed = 7
    const next = (below: number) => (seed = (seed * 16_807) % 2_147_483_647) % below
    let board = Array.from({ length: 10 }, (_, index) => tile(`t${index}`, (index % 4) * 3, Math.floor(index / 4) * 2))
    for (let step = 0; step < 500; step += 1) {
      board = put(board, `t${next(10)}`, { x: next(14) - 1, y: next(12) - 1, width: next(13), height: next(8) })
      expect(board.length).toBe(10)
      expect(crossing(board), `after ${step} moves`).toBe(false)
      expect(board.every(({ x, width }) => x >= 0 && x + width <= COLUMNS)).toBe(true)
      expect(where(settle(board)), 'nothing is left to rise').toEqual(where(board))
    }
  })

  it('gives a new tile the first free place in reading order', () => {
    expect(room([], 3, 2)).toMatchObject({ x: 0, y: 0 })
    expect(room([tile('a', 0, 0), tile('b', 6, 0)], 3, 2)).toMatchObject({ x: 3, y: 0 })
    expect(room([tile('a', 0, 0, 12, 2)], 3, 2)).toMatchObject({ x: 0, y: 2 })
  })
})

describe('a sparkline', () => {
  const frame = { width: 106, height: 26 }

  it('goes from its first to its last day, the least at the bottom and the most at the top', () => {
    const { line, end } = spark([0, 10, 5], frame)
    expect(line).toBe('M3 23L53 3L103 13')
    expect(end).toEqual({ x: 103, y: 13 })
  })

  it('breaks where nothing was measured, and does not take that for zero', () => {
    expect(spark([1, 2, null, 2, 1], frame).line.match(/M/g)).toHaveLength(2)
    expect(spark([5, null, 5], frame).line).not.toContain('L')
  })

  it('of an even figure is a line in the middle', () => {
    expect(spark([4, 4], frame).line).toBe('M3 13L103 13')
  })

  it('as bars stands on zero, so that small days look small, and lets losses hang', () => {
    const [small, great, loss] = spark([1, 10, -10], frame, { bars: true }).bars
    expect(small?.height).toBeCloseTo((great?.height ?? 0) / 10, 0)
    expect((great?.y ?? 0) + (great?.height ?? 0)).toBeCloseTo(loss?.y ?? -1, 5)
  })

  it('draws the target only where the figures come near it', () => {
    expect(spark([0, 10], frame, { target: 5 }).target).toBe(13)
    expect(spark([0, 10], frame, { target: 500 }).target).toBeNull()
  })

  it('of nothing is nothing', () => {
    expect(spark([null, null], frame)).toMatchObject({ line: '', end: null, bars: [] })
    expect(spark([1], { width: 0, height: 26 }).line).toBe('')
  })
})

describe('the state of a figure', () => {
  it('is the graver of threshold and target, and none where nobody set either', () => {
    expect(stateOf({ level: 'CRITICAL', standing: 'REACHED' })).toBe('critical')
    expect(stateOf({ level: 'WARNING', standing: 'MISSED' })).toBe('warning')
    expect(stateOf({ level: 'OK', standing: 'MISSED' })).toBe('missed')
    expect(stateOf({ level: 'OK', standing: null })).toBe('ok')
    expect(stateOf({ level: null, standing: null })).toBeNull()
  })
})
