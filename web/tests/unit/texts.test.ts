import { describe, expect, it } from 'vitest'

type Text = string | { one: string; other: string }
const load = (files: Record<string, Record<string, Record<string, Text>>>) =>
  new Map(Object.entries(files).map(([path, module]) => [path.split('/').pop(), Object.values(module)[0] ?? {}]))

const en = load(import.meta.glob('../../src/lib/i18n/en/*.ts', { eager: true }))
const fr = load(import.meta.glob('../../src/lib/i18n/fr/*.ts', { eager: true }))
const forms = (text: Text) => (typeof text === 'string' ? [text] : [text.one, text.other])
const names = (text: Text) => [...new Set(forms(text).flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort()

describe('the texts', () => {
  it('are there in both languages', () => {
    expect(en.size).toBeGreaterThan(5)
    for (const [area, texts] of en) {
      expect(Object.keys(fr.get(area) ?? {}).sort(), area).toEqual(Object.keys(texts).sort())
    }
  })

  it('take the same values in both languages', () => {
    for (const [area, texts] of en) {
      for (const [key, text] of Object.entries(texts)) {
        expect([area, key, names(fr.get(area)?.[key] ?? '')]).toEqual([area, key, names(text)])
      }
    }
  })

  const french = (wrong: RegExp) =>
    [...fr].flatMap(([area, texts]) =>
      Object.entries(texts).flatMap(([key, text]) => forms(text).filter((form) => wrong.test(form)).map((form) => `${area} ${key}: ${form}`)),
    )

  it('have a narrow space in French before each ; : ! ? that ends words, at which no line breaks', () => {
    // A sign within a word, such as that of a time or an address, or after another sign, takes no space.
    expect(french(/(?<![\u202f!?;:])[;:!?](?=\s|$|»|…)/)).toEqual([])
  })

  it('have no space in French at which a line could break inside quotes or before a unit', () => {
    expect(french(/ [»%€]|« |«(?![\u202f\u00a0])|(?<![\u202f\u00a0])»/)).toEqual([])
  })

  it('have typographic apostrophes in both languages', () => {
    const straight = [...en, ...fr].flatMap(([area, texts]) =>
      Object.entries(texts).flatMap(([key, text]) => forms(text).filter((form) => /\p{L}'\p{L}/u.test(form)).map((form) => `${area} ${key}: ${form}`)),
    )
    expect(straight).toEqual([])
  })

  it('are no empty words', () => {
    for (const [area, texts] of [...en, ...fr]) {
      for (const [key, text] of Object.entries(texts)) expect(forms(text).every((form) => form.trim() !== ''), `${area} ${key}`).toBe(true)
    }
  })
})
