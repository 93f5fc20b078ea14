/** Exact decimals as integers of their last digit: the API sends decimals as texts, and no float touches them. */
export interface Dec {
  units: bigint
  /** How many of its digits stand after the point. */
  scale: number
}

/** Reads `12`, `12.5` or `12,5`, with spaces between the digits; null for anything else. */
export function read(text: string): Dec | null {
  const plain = text.replace(/[\s\u00a0\u202f]/g, '').replace(',', '.')
  const match = /^(-?)(\d*)(?:\.(\d*))?$/.exec(plain)
  if (!match) return null
  const [, sign, whole = '', part = ''] = match
  if (whole + part === '') return null
  const units = BigInt(whole + part)
  return { units: sign === '-' ? -units : units, scale: part.length }
}

/** Writes it with all its digits. */
export function write({ units, scale }: Dec): string {
  const sign = units < 0n ? '-' : ''
  const text = (units < 0n ? -units : units).toString().padStart(scale + 1, '0')
  return scale === 0 ? sign + text : `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`
}

export function plus(left: Dec, right: Dec): Dec {
  const scale = Math.max(left.scale, right.scale)
  return { units: at(left, scale) + at(right, scale), scale }
}

export function minus(left: Dec, right: Dec): Dec {
  return plus(left, { units: -right.units, scale: right.scale })
}

/** Below, at or above zero as `left` is smaller, equal or greater. */
export function compare(left: Dec, right: Dec): number {
  const { units } = minus(left, right)
  return units < 0n ? -1 : units > 0n ? 1 : 0
}

/** Its units, counted in digits of that scale. */
export function at(value: Dec, scale: number): bigint {
  return value.units * 10n ** BigInt(scale - value.scale)
}

export const ZERO: Dec = { units: 0n, scale: 0 }
