// A company to be founded: what is asked, and what can be guessed of it from the browser.
import type { CompanyInput } from '$gql/pages/auth/auth'
import { settings } from '$lib/settings.svelte'

/** ISO 3166-1 alpha-2. */
const COUNTRIES =
  'AD AE AF AG AI AL AM AO AR AT AU AZ BA BB BD BE BF BG BH BI BJ BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CL CM CN CO CR CU CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FM FR GA GB GD GE GH GM GN GQ GR GT GW GY HK HN HR HT HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH KI KM KN KP KR KW KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MH MK ML MM MN MO MR MT MU MV MW MX MY MZ NA NC NE NG NI NL NO NP NR NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SI SK SL SM SN SO SR SS ST SV SY SZ TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VN VU WF WS XK YE YT ZA ZM ZW'

const USUAL: Record<string, [country: string, currency: string]> = {
  'Europe/Paris': ['FR', 'EUR'],
  'Europe/Berlin': ['DE', 'EUR'],
  'Europe/Madrid': ['ES', 'EUR'],
  'Europe/Rome': ['IT', 'EUR'],
  'Europe/Brussels': ['BE', 'EUR'],
  'Europe/Amsterdam': ['NL', 'EUR'],
  'Europe/Luxembourg': ['LU', 'EUR'],
  'Europe/Dublin': ['IE', 'EUR'],
  'Europe/London': ['GB', 'GBP'],
  'Europe/Zurich': ['CH', 'CHF'],
  'America/New_York': ['US', 'USD'],
  'America/Toronto': ['CA', 'CAD'],
}

export type Draft = Required<Omit<CompanyInput, 'siren' | 'fiscalYearStartMonth'>> & { siren: string; month: string }

export function blank(): Draft {
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
  const [country, currency] = USUAL[timeZone] ?? (settings.locale === 'fr' ? ['FR', 'EUR'] : ['IE', 'EUR'])
  return {
    name: '',
    legalForm: '',
    siren: '',
    country,
    currency,
    timeZone,
    locale: settings.locale,
    month: '1',
    chart: country === 'FR' ? 'FR_PCG' : 'GENERIC',
  }
}

export function input(draft: Draft): CompanyInput {
  const { month, siren, ...rest } = draft
  return {
    ...rest,
    name: rest.name.trim(),
    legalForm: rest.legalForm.trim(),
    siren: draft.country === 'FR' && siren.trim() ? siren.replace(/\s/g, '') : null,
    fiscalYearStartMonth: Number(month),
  }
}

/** The fields of the form, as the API names them. */
export const FIELDS = ['name', 'legalForm', 'siren', 'country', 'currency', 'timeZone', 'locale', 'fiscalYearStartMonth', 'chart']

export function countries(language: string) {
  const names = new Intl.DisplayNames(language, { type: 'region' })
  return sorted(language, COUNTRIES.split(' '), (code) => names.of(code) ?? code)
}

export function currencies(language: string) {
  const names = new Intl.DisplayNames(language, { type: 'currency' })
  return Intl.supportedValuesOf('currency').map((code) => ({ value: code, label: `${code} · ${names.of(code) ?? code}` }))
}

export function timeZones(present: string) {
  const all = Intl.supportedValuesOf('timeZone')
  return (all.includes(present) ? all : [present, ...all]).map((zone) => ({ value: zone, label: zone.replaceAll('_', ' ') }))
}

export function months(language: string) {
  const format = new Intl.DateTimeFormat(language, { month: 'long', timeZone: 'UTC' })
  return Array.from({ length: 12 }, (_, index) => ({
    value: String(index + 1),
    label: format.format(new Date(Date.UTC(2026, index, 1))),
  }))
}

function sorted(language: string, codes: string[], name: (code: string) => string) {
  const collator = new Intl.Collator(language)
  return codes.map((code) => ({ value: code, label: name(code) })).sort((a, b) => collator.compare(a.label, b.label))
}
