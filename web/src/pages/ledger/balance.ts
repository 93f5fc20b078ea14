// The trial balance as accountants read it: groups with subtotals, and a closing column for each side.
import type { LedgerTrialBalanceQuery } from '$gql/pages/ledger/ledger'
import { minus, plus, sign } from '$lib/exact'

export type BalanceRow = LedgerTrialBalanceQuery['trialBalance']['rows'][number]

export interface Sums {
  opening: string
  debit: string
  credit: string
  /** Closing balances on the debit side, and on the credit side: positive both. */
  debitBalance: string
  creditBalance: string
}

export interface Group {
  key: string
  rows: BalanceRow[]
  sums: Sums
}

/** The closing balance on its side; the other side is null. */
export function sides(closing: string): { debit: string | null; credit: string | null } {
  const side = sign(closing)
  return { debit: side > 0 ? closing : null, credit: side < 0 ? minus('0', closing) : null }
}

/** Sums of rows, exact. */
export function sumUp(rows: BalanceRow[]): Sums {
  const sums: Sums = { opening: '0', debit: '0', credit: '0', debitBalance: '0', creditBalance: '0' }
  for (const row of rows) {
    const { debit, credit } = sides(row.closing.amount)
    sums.opening = plus(sums.opening, row.opening.amount)
    sums.debit = plus(sums.debit, row.debit.amount)
    sums.credit = plus(sums.credit, row.credit.amount)
    sums.debitBalance = plus(sums.debitBalance, debit ?? '0')
    sums.creditBalance = plus(sums.creditBalance, credit ?? '0')
  }
  return sums
}

/** By class of the French chart (the first digit), by kind in any other. Rows keep their order, which is by number. */
export function grouped(rows: BalanceRow[], byClass: boolean): Group[] {
  const groups = new Map<string, BalanceRow[]>()
  for (const row of rows) {
    const key = byClass ? row.account.number.charAt(0) : row.account.kind
    const group = groups.get(key)
    if (group) group.push(row)
    else groups.set(key, [row])
  }
  return Array.from(groups, ([key, members]) => ({ key, rows: members, sums: sumUp(members) }))
}

/** Text without case and accents, to search in. */
export function plain(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase()
}

/** Whether an account's number begins so, or its names contain it. */
export function fits(account: BalanceRow['account'], text: string): boolean {
  const wanted = plain(text.trim())
  if (!wanted) return true
  return account.number.startsWith(wanted) || [account.name, account.nameEn ?? ''].some((name) => plain(name).includes(wanted))
}

/** The balance as a table (RFC 4180). Text that a spreadsheet would take for a formula begins with an apostrophe. */
export function csv(rows: BalanceRow[], head: string[], name: (account: BalanceRow['account']) => string): string {
  const cell = (text: string) => `"${(/^[=+@\t\r-]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
  const lines = rows.map(({ account, opening, debit, credit, closing }) =>
    [cell(account.number), cell(name(account)), opening.amount, debit.amount, credit.amount, closing.amount].join(','),
  )
  return [head.map(cell).join(','), ...lines].join('\r\n') + '\r\n'
}
