import { digitsOf, hundredth, rounded, times } from '$lib/amounts'
import { plus, read, write, ZERO, type Dec } from '$lib/decimal'

/** What a line adds to a document: its net, and the group of its tax. */
export interface Taxed {
  net: Dec
  category: string
  rate: string
}

export interface Group {
  category: string
  rate: string
  base: string
  tax: string
}

/** Totals as the server will compute them, shown until it has: tax per category and rate, on the sum of the lines. */
export interface Preview {
  net: string
  tax: string
  total: string
  groups: Group[]
}

export function preview(lines: Taxed[], currency: string): Preview {
  const digits = digitsOf(currency)
  const bases = new Map<string, { category: string; rate: string; base: Dec }>()
  for (const { net, category, rate } of lines) {
    const key = `${category} ${shortest(rate)}`
    const group = bases.get(key)
    if (group) group.base = plus(group.base, net)
    else bases.set(key, { category, rate, base: net })
  }
  const groups = [...bases.values()].map(({ category, rate, base }) => {
    const tax = rounded(hundredth(times(base, read(rate) ?? ZERO)), digits)
    return { category, rate, base, tax }
  })
  groups.sort((a, b) => a.category.localeCompare(b.category) || Number(b.rate) - Number(a.rate))
  const net = rounded(groups.reduce((all, { base }) => plus(all, base), ZERO), digits)
  const tax = rounded(groups.reduce((all, group) => plus(all, group.tax), ZERO), digits)
  return {
    net: write(net),
    tax: write(tax),
    total: write(plus(net, tax)),
    groups: groups.map((group) => ({ ...group, base: write(rounded(group.base, digits)), tax: write(group.tax) })),
  }
}

/** `20.00` and `20` are one rate. */
function shortest(rate: string): string {
  const text = write(read(rate) ?? ZERO)
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
