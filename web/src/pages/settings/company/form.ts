// The company's settings as a form: what can be changed, and what of it is sent.
import type { CompanyWholeFragment, UpdateCompanyInput } from '$gql/pages/settings/company/company'
import { fmt, t } from '$lib/i18n/index.svelte'
import type { Difference } from '$ui'
import { tt } from '../people/texts'

export type Company = CompanyWholeFragment

export interface Values {
  name: string
  legalForm: string
  siren: string
  timeZone: string
  locale: string
  fourEyes: boolean
  documentsOnly: boolean
  rightsNeedApproval: boolean
  /** The day from which a second factor is demanded; empty for none. */
  secondFactorFrom: string
}
export const FIELDS = ['name', 'legalForm', 'siren', 'timeZone', 'locale', 'fourEyes', 'documentsOnly', 'rightsNeedApproval', 'secondFactorFrom'] as const
type Name = (typeof FIELDS)[number]

export function valuesOf(company: Company): Values {
  const { name, legalForm, timeZone, locale, fourEyes, documentsOnly, rightsNeedApproval } = company
  const secondFactorFrom = company.secondFactorFrom?.slice(0, 10) ?? ''
  return { name, legalForm, siren: company.siren ?? '', timeZone, locale, fourEyes, documentsOnly, rightsNeedApproval, secondFactorFrom }
}

export function changed(values: Values, base: Values): Name[] {
  return FIELDS.filter((field) => values[field] !== base[field])
}

/** What differs from what was read; the rest stays. `now`: for a demand that begins today. */
export function toUpdate(company: Company, values: Values, now: Date): UpdateCompanyInput {
  const input: UpdateCompanyInput = { expectedVersion: company.version }
  for (const field of changed(values, valuesOf(company))) {
    if (field === 'siren') input.siren = values.siren.trim() || null
    else if (field === 'secondFactorFrom') input.secondFactorFrom = values.secondFactorFrom ? moment(values.secondFactorFrom, now) : null
    else if (field === 'fourEyes' || field === 'documentsOnly' || field === 'rightsNeedApproval') input[field] = values[field]
    else input[field] = values[field].trim()
  }
  return input
}

/** The beginning of a day, but never before now. */
function moment(day: string, now: Date): string {
  const begin = new Date(`${day}T00:00:00Z`)
  return (begin < now ? now : begin).toISOString()
}

const LABELS = { name: 'company.name', legalForm: 'company.legalForm', siren: 'company.siren', timeZone: 'company.timeZone', locale: 'company.locale', fourEyes: 'company.fourEyes', documentsOnly: 'company.documentsOnly', rightsNeedApproval: 'company.rightsNeedApproval', secondFactorFrom: 'company.secondFactor' } as const

/** Where both sides have changed the same field to something else. */
export function differences(values: Values, base: Values, theirs: Values): Difference[] {
  const show = (field: Name, value: string | boolean) =>
    typeof value === 'boolean' ? (value ? t('state.yes') : t('state.no')) : field === 'secondFactorFrom' && value ? fmt.date(value) : value
  return FIELDS.filter((field) => values[field] !== base[field] && theirs[field] !== base[field] && values[field] !== theirs[field]).map((field) => ({
    field,
    label: tt(LABELS[field]),
    yours: show(field, values[field]),
    theirs: show(field, theirs[field]),
  }))
}

export function merged(values: Values, base: Values, theirs: Values, keep: Set<string>): Values {
  const next = { ...values }
  const take = <K extends Name>(field: K) => {
    const mine = values[field] !== base[field]
    if (!mine || (theirs[field] !== base[field] && !keep.has(field))) next[field] = theirs[field]
  }
  FIELDS.forEach(take)
  return next
}
