// A correction of a received bill: what stands in its fields, what of it has changed, and where somebody else's changes meet it.
import { fmt } from '$lib/i18n/index.svelte'
import type { UserError } from '$lib/api/doc'
import type { Difference } from '$ui'
import type { BillWholeFragment } from '$gql/pages/bills/document'
import type { CorrectBillInput } from '$gql/types'
import { plain, rounded, digitsOf } from '$lib/amounts'
import { compare, minus, plus, read, write, ZERO } from '$lib/decimal'
import { t } from '$lib/documents/texts'
import { asInput, correctionOf, previewOf, splitVat, storedLines, vatOf, written, type Accounts, type BillLine } from './form.svelte'

export const TOTALS = ['allowances', 'charges', 'net', 'tax', 'total', 'prepaid', 'rounding', 'payable'] as const
type TotalField = (typeof TOTALS)[number]
type Totals = Record<TotalField, string>

/** What can be changed apart from the rest. */
export type Part = 'dueDate' | 'vatOnPayment' | 'lines' | 'taxes' | 'totals'

interface Tax {
  vat: string
  base: string
  tax: string
  reason: string | null
}

function totalsOf(bill: BillWholeFragment): Totals {
  return Object.fromEntries(TOTALS.map((field) => [field, bill[field].amount])) as Totals
}

function taxesOf(bill: BillWholeFragment): Tax[] {
  return bill.taxes.map(({ category, rate, base, tax, reason }) => ({ vat: vatOf(category, rate), base: base.amount, tax: tax.amount, reason }))
}

const EMPTY: Totals = { allowances: '', charges: '', net: '', tax: '', total: '', prepaid: '', rounding: '', payable: '' }
const num = (text: string) => read(text) ?? ZERO

export class Correction {
  base: BillWholeFragment | null = $state.raw(null)
  dueDate = $state('')
  vatOnPayment = $state(false)
  lines: BillLine[] = $state([])
  taxes: Tax[] = $state.raw([])
  totals: Totals = $state({ ...EMPTY })
  #before: BillLine[] = []

  begin(bill: BillWholeFragment, accounts: Accounts) {
    this.base = bill
    this.dueDate = bill.dueDate
    this.vatOnPayment = bill.vatOnPayment
    this.#before = storedLines(bill, accounts)
    this.lines = this.#before.map((line) => ({ ...line }))
    this.taxes = taxesOf(bill)
    this.totals = totalsOf(bill)
  }

  get changed(): Set<Part> {
    const { base } = this
    const parts = new Set<Part>()
    if (!base) return parts
    if (this.dueDate !== base.dueDate) parts.add('dueDate')
    if (this.vatOnPayment !== base.vatOnPayment) parts.add('vatOnPayment')
    if (this.#corrected.length + this.#added.length + this.#removed.length > 0) parts.add('lines')
    if (JSON.stringify(this.taxes) !== JSON.stringify(taxesOf(base))) parts.add('taxes')
    if (this.#changedTotals(base).length > 0) parts.add('totals')
    return parts
  }

  /** The lines less allowances plus charges, where the stated net is another. */
  get apart(): { computed: string; stated: string } | null {
    const digits = digitsOf(this.base?.currency ?? 'EUR')
    const computed = rounded(plus(minus(num(this.#preview.net), num(this.totals.allowances)), num(this.totals.charges)), digits)
    const stated = num(this.totals.net)
    return compare(computed, stated) === 0 ? null : { computed: write(computed), stated: write(stated) }
  }

  /** Taxes and totals as the lines make them; what was prepaid or rounded stays. */
  recompute() {
    const { groups, net, tax } = this.#preview
    const reasons = new Map(this.taxes.map(({ vat, reason }) => [vat, reason]))
    const whole = plus(minus(num(net), num(this.totals.allowances)), num(this.totals.charges))
    const total = plus(whole, num(tax))
    this.taxes = groups.map((group) => {
      const vat = vatOf(group.category, group.rate)
      return { vat, base: group.base, tax: group.tax, reason: reasons.get(vat) ?? null }
    })
    const payable = plus(minus(total, num(this.totals.prepaid)), num(this.totals.rounding))
    Object.assign(this.totals, { net: write(whole), tax, total: write(total), payable: write(payable) })
  }

  input(parts: Set<Part>, version: number): CorrectBillInput {
    const { base } = this
    const totals = Object.fromEntries(
      (parts.has('totals') && base ? this.#changedTotals(base) : []).map((field) => [field, plain(this.totals[field]) ?? this.totals[field]]),
    )
    return {
      billId: base?.id ?? '',
      expectedVersion: version,
      ...(parts.has('dueDate') && { dueDate: this.dueDate }),
      ...(parts.has('vatOnPayment') && { vatOnPayment: this.vatOnPayment }),
      ...(parts.has('lines') && { lines: this.#corrected.map(({ input }) => input), added: this.#added.map(asInput), removed: this.#removed }),
      ...(parts.has('taxes') && {
        taxes: this.taxes.map(({ vat, base: of, tax, reason }) => ({ ...splitVat(vat), base: of, tax, reason })),
      }),
      ...(parts.has('totals') && { totals }),
    }
  }

  /** Refusals by the key of their line, for `lines.0.net` counts the lines that were sent. */
  placed(errors: readonly UserError[]): UserError[] {
    return errors.map((error) => {
      const match = /^(lines|added)\.(\d+)\.?(\w+)?/.exec(error.field ?? '')
      if (!match) return error
      const [, list, at, field = 'description'] = match
      const line = list === 'added' ? this.#added[Number(at)] : this.#corrected[Number(at)]?.line
      return { ...error, field: line ? `${line.key}.${field}` : null }
    })
  }

  /** Where both have changed the same part. */
  differences(now: BillWholeFragment, parts: Set<Part>): Difference[] {
    const { base } = this
    if (!base) return []
    const money = (amount: string) => fmt.money(plain(amount) ?? '0', base.currency)
    const told: Record<Part, [label: string, before: string, yours: string, theirs: string]> = {
      dueDate: [t('doc.dueDate'), base.dueDate, fmt.date(this.dueDate), now.dueDate],
      vatOnPayment: [t('bills.vatOnPayment'), yes(base.vatOnPayment), yes(this.vatOnPayment), yes(now.vatOnPayment)],
      lines: [t('doc.lines'), lineText(base), this.lines.map(({ description, net }) => `${description} ${money(net)}`).join('\n'), lineText(now)],
      taxes: [t('doc.taxes'), taxText(taxesOf(base), money), taxText(this.taxes, money), taxText(taxesOf(now), money)],
      totals: [t('bills.totals'), money(base.payable.amount), money(this.totals.payable), money(now.payable.amount)],
    }
    return [...parts].flatMap((field) => {
      const [label, before, yours, theirs] = told[field]
      if (before === theirs || yours === theirs) return []
      return [{ field, label, yours, theirs: field === 'dueDate' ? fmt.date(theirs) : theirs }]
    })
  }

  get #preview() {
    return previewOf(this.lines, this.base?.currency ?? 'EUR')
  }
  get #corrected() {
    return this.lines.flatMap((line) => {
      const before = this.#before.find(({ id }) => id !== null && id === line.id)
      const input = before && correctionOf(line, before)
      return input ? [{ line, input }] : []
    })
  }
  get #added() {
    return written(this.lines).filter(({ id }) => id === null)
  }
  get #removed() {
    return this.#before.flatMap(({ id }) => (id !== null && !this.lines.some((line) => line.id === id) ? [id] : []))
  }
  #changedTotals(base: BillWholeFragment): TotalField[] {
    const before = totalsOf(base)
    return TOTALS.filter((field) => compare(num(this.totals[field]), num(before[field])) !== 0)
  }
}

const yes = (value: boolean) => (value ? t('doc.yes') : t('doc.no'))
const lineText = (bill: BillWholeFragment) =>
  bill.lines.map(({ description, net }) => `${description} ${fmt.money(net.amount, net.currency)}`).join('\n')
const taxText = (taxes: Tax[], money: (amount: string) => string) => taxes.map(({ vat, tax }) => `${vat}: ${money(tax)}`).join('\n')
