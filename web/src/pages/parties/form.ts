// The form of a customer or supplier: its fields as texts, and what of them is sent.
import type { CreatePartyInput, PartyWholeFragment, UpdatePartyInput } from '$gql/pages/parties/parties'
import { t } from '$lib/i18n/index.svelte'
import type { Difference } from '$ui'
import { tt } from './texts'

export type Party = PartyWholeFragment

const TEXTS = ['name', 'legalId', 'siret', 'vatId', 'email', 'phone', 'street', 'street2', 'postcode', 'city', 'country', 'currency', 'paymentDays', 'externalRef'] as const
const SWITCHES = ['isCustomer', 'isSupplier', 'endOfMonth', 'vatOnPayment'] as const
/** Sent when typed only: what is kept is sealed, and not read for a form. */
const BANK = ['iban', 'bic'] as const

type TextField = (typeof TEXTS)[number]
type SwitchField = (typeof SWITCHES)[number]
export type Values = Record<TextField | (typeof BANK)[number], string> & Record<SwitchField, boolean>
export const FIELDS: readonly string[] = [...TEXTS, ...SWITCHES, ...BANK]

export function blank(currency: string, country: string): Values {
  const texts = Object.fromEntries([...TEXTS, ...BANK].map((field) => [field, ''])) as Record<TextField | 'iban' | 'bic', string>
  return { ...texts, currency, country, paymentDays: '30', isCustomer: true, isSupplier: false, endOfMonth: false, vatOnPayment: false }
}

export function valuesOf(party: Party): Values {
  const { address } = party
  return {
    name: party.name,
    legalId: party.legalId ?? '',
    siret: party.siret ?? '',
    vatId: party.vatId ?? '',
    email: party.email ?? '',
    phone: party.phone ?? '',
    street: address.street ?? '',
    street2: address.street2 ?? '',
    postcode: address.postcode ?? '',
    city: address.city ?? '',
    country: address.country,
    currency: party.currency,
    paymentDays: String(party.paymentDays),
    externalRef: party.externalRef ?? '',
    iban: '',
    bic: '',
    isCustomer: party.isCustomer,
    isSupplier: party.isSupplier,
    endOfMonth: party.endOfMonth,
    vatOnPayment: party.vatOnPayment,
  }
}

export function isDirty(values: Values, base: Values): boolean {
  return FIELDS.some((field) => values[field as keyof Values] !== base[field as keyof Values])
}

/** What of the fields must be mended before anything is sent. */
export function missing(values: Values): Record<string, string> {
  const wrong: Record<string, string> = {}
  if (!values.isCustomer && !values.isSupplier) wrong.isCustomer = tt('form.rolesNeeded')
  if (!values.name.trim()) wrong.name = tt('form.nameNeeded')
  if (!/^[A-Za-z]{2}$/.test(values.country.trim())) wrong.country = tt('form.countryNeeded')
  if (!/^\d{1,3}$/.test(values.paymentDays.trim())) wrong.paymentDays = tt('hint.paymentDays')
  return wrong
}

const orNull = (text: string) => text.trim() || null

export function toCreate(values: Values): CreatePartyInput {
  const input: CreatePartyInput = {
    isCustomer: values.isCustomer,
    isSupplier: values.isSupplier,
    name: values.name.trim(),
    country: values.country.trim().toUpperCase(),
    paymentDays: Number(values.paymentDays),
    endOfMonth: values.endOfMonth,
    vatOnPayment: values.vatOnPayment,
  }
  for (const field of ['legalId', 'siret', 'vatId', 'email', 'phone', 'street', 'street2', 'postcode', 'city', 'externalRef', 'iban', 'bic'] as const) {
    input[field] = orNull(values[field])
  }
  input.currency = orNull(values.currency.toUpperCase())
  return input
}

/** The fields that differ from what was read; what is left out stays. */
export function toUpdate(party: Party, values: Values, clearBank: boolean): UpdatePartyInput {
  const base = valuesOf(party)
  const input: UpdatePartyInput = { partyId: party.id, expectedVersion: party.version }
  for (const field of TEXTS) {
    if (values[field] === base[field]) continue
    if (field === 'paymentDays') input.paymentDays = Number(values.paymentDays)
    else if (field === 'country' || field === 'currency') input[field] = values[field].trim().toUpperCase()
    else input[field] = orNull(values[field])
  }
  for (const field of SWITCHES) if (values[field] !== base[field]) input[field] = values[field]
  for (const field of BANK) if (clearBank || values[field].trim()) input[field] = clearBank ? null : values[field].trim()
  return input
}

/** Where both sides have changed the same field to something else. */
export function differences(values: Values, base: Values, theirs: Values): Difference[] {
  const show = (value: string | boolean) => (typeof value === 'boolean' ? (value ? t('state.yes') : t('state.no')) : value)
  return [...TEXTS, ...SWITCHES]
    .filter((field) => values[field] !== base[field] && theirs[field] !== base[field] && values[field] !== theirs[field])
    .map((field) => ({ field, label: tt(`field.${field}`), yours: show(values[field]), theirs: show(theirs[field]) }))
}

/** The form's values with theirs wherever one's own are not to stand, and wherever one has not touched a field. */
export function merged(values: Values, base: Values, theirs: Values, keep: Set<string>): Values {
  const next = { ...values }
  const take = <K extends keyof Values>(field: K) => {
    if (values[field] === base[field] || (!keep.has(field) && theirs[field] !== base[field])) next[field] = theirs[field]
  }
  for (const field of [...TEXTS, ...SWITCHES]) take(field)
  return next
}
