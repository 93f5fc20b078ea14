import type { Figure } from './trend'

export type State = 'ok' | 'missed' | 'warning' | 'critical'

/** How each state looks, beside its word. */
export const TONES = { ok: 'good', missed: 'warn', warning: 'warn', critical: 'bad' } as const
export const ICONS = { ok: 'check', missed: 'circle', warning: 'warn', critical: 'stop' } as const

/** The graver of what the thresholds and the target say; null where nobody has set either. */
export function stateOf({ standing, level }: Pick<Figure, 'standing' | 'level'>): State | null {
  if (level === 'CRITICAL') return 'critical'
  if (level === 'WARNING') return 'warning'
  if (standing === 'MISSED') return 'missed'
  return standing === 'REACHED' || level === 'OK' ? 'ok' : null
}
