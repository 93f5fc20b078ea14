// Arithmetic on decimals as the API sends them, as texts: no float touches an amount.
import { minus as less, plus as more, read, write, ZERO, type Dec } from './decimal'

const parse = (text: string): Dec => read(text) ?? ZERO

/** `left − right`, exact. */
export const minus = (left: string, right: string): string => write(less(parse(left), parse(right)))

/** `left + right`, exact. */
export const plus = (left: string, right: string): string => write(more(parse(left), parse(right)))

/** Below, at or above zero. */
export function sign(text: string): -1 | 0 | 1 {
  const { units } = parse(text)
  return units < 0n ? -1 : units > 0n ? 1 : 0
}

/** `part / whole` with four digits, as the API gives shares, halves away from zero; null where the whole is nothing. */
export function share(part: string, whole: string): string | null {
  const [a, b] = [parse(part), parse(whole)]
  if (b.units === 0n) return null
  const size = b.units < 0n ? -b.units : b.units
  const ten = (a.units * 10n ** BigInt(b.scale + 5)) / (size * 10n ** BigInt(a.scale))
  return write({ units: (ten + (ten < 0n ? -5n : 5n)) / 10n, scale: 4 })
}
