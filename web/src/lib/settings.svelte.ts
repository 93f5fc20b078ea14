// What a person prefers on this device: language and theme.
import type { Locale } from '$lib/i18n/types'

export type Theme = 'system' | 'light' | 'dark'

function wished(): Locale {
  const languages = typeof navigator === 'undefined' ? [] : navigator.languages
  return languages.find((one) => /^(fr|en)\b/i.test(one))?.toLowerCase().startsWith('fr') ? 'fr' : 'en'
}

const kept = (key: string) => (typeof localStorage === 'undefined' ? null : localStorage.getItem(key))

class Settings {
  #locale = $state<Locale>(kept('coulisse.locale') === 'fr' ? 'fr' : kept('coulisse.locale') === 'en' ? 'en' : wished())
  #theme = $state<Theme>((kept('coulisse.theme') as Theme | null) ?? 'system')

  get locale() {
    return this.#locale
  }
  set locale(locale: Locale) {
    this.#locale = locale
    localStorage.setItem('coulisse.locale', locale)
    this.apply()
  }
  get theme() {
    return this.#theme
  }
  set theme(theme: Theme) {
    this.#theme = theme
    localStorage.setItem('coulisse.theme', theme)
    this.apply()
  }
  /** Writes them on the document. */
  apply() {
    document.documentElement.lang = this.#locale
    if (this.#theme === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = this.#theme
  }
}

export const settings = new Settings()
