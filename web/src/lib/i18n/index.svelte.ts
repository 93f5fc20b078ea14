// Texts and figures in French and English. Each area of the console has dictionaries of its own, in its own chunk.
import { settings } from '$lib/settings.svelte'
import type { common as en } from './en/common'
import type { Locale, Same, Text, Texts, Translate } from './types'

export type { Locale, Same, Texts } from './types'

class I18n {
  /** The user's language: as chosen, else as the browser wishes. */
  get locale(): Locale {
    return settings.locale
  }
}
export const i18n = new I18n()

const plurals: Record<Locale, Intl.PluralRules> = { en: new Intl.PluralRules('en'), fr: new Intl.PluralRules('fr') }

/** The translator of an area, in whichever language is chosen: it changes with it, wherever it is read. */
export function area<const T extends Texts>(texts: { en: T; fr: Same<T> }): Translate<T> {
  return (key, ...rest) => {
    const { locale } = i18n
    const text: Text | undefined = (texts[locale] as Texts)[key] ?? texts.en[key]
    if (text === undefined) return key
    return fill(locale, text, rest[0])
  }
}

function fill(locale: Locale, text: Text, given?: object): string {
  const values = (given ?? {}) as Record<string, string | number>
  let words = typeof text === 'string' ? text : text.other
  if (typeof text !== 'string' && plurals[locale].select(Number(values.count)) === 'one') words = text.one
  return words.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    if (value === undefined) return whole
    return typeof value === 'number' ? number(locale).format(value) : value
  })
}

const formats = new Map<string, Intl.NumberFormat>()
/** A number format, made once. */
export function number(locale: Locale, options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  const key = locale + JSON.stringify(options)
  let format = formats.get(key)
  if (!format) formats.set(key, (format = new Intl.NumberFormat(locale === 'en' ? 'en-GB' : 'fr-FR', options)))
  return format
}

/** Texts that every page may use: buttons, states, errors. Only the language in use is fetched. */
export const t: Translate<typeof en> = (key, ...rest) => {
  const { locale } = i18n
  const texts: Texts = common.texts[locale] ?? common.texts[locale === 'fr' ? 'en' : 'fr'] ?? {}
  const text = texts[key]
  return text === undefined ? key : fill(locale, text, rest[0])
}

class Common {
  texts = $state.raw<Partial<Record<Locale, Texts>>>({})
}
const common = new Common()

/** Fetches the texts of a language; the first time, before anything is shown. */
export async function fetchTexts(locale: Locale): Promise<void> {
  if (common.texts[locale]) return
  const { common: texts } = locale === 'fr' ? await import('./fr/common') : await import('./en/common')
  common.texts = { ...common.texts, [locale]: texts }
}

/** A text for one language only, from a pair that the API gives (`labelFr`, `labelEn`). */
export function pick(pair: { fr: string; en: string }): string {
  return pair[i18n.locale]
}

export { fmt } from './format'
