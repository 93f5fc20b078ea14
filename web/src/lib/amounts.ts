// What a document multiplies, rounds and sums.
import { at, minus, plus, read, write, ZERO, type Dec } from './decimal'

const HUNDRED: Dec = { units: 100n, scale: 0 }

/** The same as the API writes it: `12.5`; null for what is not a number. */
export function plain(text: string): string | null {
  const value = read(text)
  return value && write(value)
}

export function times(left: Dec, right: Dec): Dec {
  return { units: left.units * right.units, scale: left.scale + right.scale }
}

/** A hundredth of it: what a percent means. */
export function hundredth(value: Dec): Dec {
  return { units: value.units, scale: value.scale + 2 }
}

/** Rounded to so many digits after the point, halves away from zero, as the server rounds. */
export function rounded(value: Dec, digits: number): Dec {
  if (value.scale <= digits) return { units: at(value, digits), scale: digits }
  const factor = 10n ** BigInt(value.scale - digits)
  const size = value.units < 0n ? -value.units : value.units
  const half = (size * 2n + factor) / (factor * 2n)
  return { units: value.units < 0n ? -half : half, scale: digits }
}

/** The digits of a currency's smallest unit. */
export function digitsOf(currency: string): number {
  try {
    const { maximumFractionDigits } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions()
    return maximumFractionDigits ?? 2
  } catch {
    return 2
  }
}

/** The sum of decimal texts; what is no number counts as nothing. */
export function sum(texts: string[]): string {
  return write(texts.reduce((all, text) => plus(all, read(text) ?? ZERO), ZERO))
}

/** Quantity × price less the discount, rounded once; null while one of them is no number. */
export function netOf(quantity: string, price: string, discount: string, currency: string): Dec | null {
  const factors = [read(quantity), read(price), read(discount || '0')]
  const [units, each, off] = factors
  if (!units || !each || !off) return null
  return rounded(times(times(units, each), hundredth(minus(HUNDRED, off))), digitsOf(currency))
}
