// The choices of VAT on a bill: a category of EN 16931 with a rate.
import { taxCodes } from '$lib/documents/finders'
import { vatOf } from './form.svelte'
import { taxName } from './totals'

/** Those of the company's tax codes, and the exempt categories. */
export async function vatChoices(): Promise<{ value: string; label: string }[]> {
  const codes = await taxCodes()
  const known = new Map<string, string>()
  const sorted = [...codes].sort((a, b) => Number(b.category === 'S') - Number(a.category === 'S') || Number(b.rate) - Number(a.rate))
  for (const { category, rate } of sorted) known.set(vatOf(category, rate), taxName(category, rate))
  return [...known].map(([value, label]) => ({ value, label }))
}
