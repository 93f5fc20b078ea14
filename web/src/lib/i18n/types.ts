// The types of dictionaries: French must have each text that English has, with the same `{values}`.

/** A text whose form depends on `count`; categories as in `Intl.PluralRules` (English and French need these). */
export interface Plural {
  readonly one: string
  readonly other: string
}
export type Text = string | Plural
export type Texts = Readonly<Record<string, Text>>

/** What the French dictionary of an area must satisfy: `satisfies Same<typeof en>`. */
export type Same<T extends Texts> = { readonly [K in keyof T]: T[K] extends string ? string : Plural }

type Names<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never
type Words<T extends Text> = T extends string ? T : T extends Plural ? T['one'] | T['other'] : never
type Needed<T extends Text> = Names<Words<T>> | (T extends Plural ? 'count' : never)

/** The values that a text needs. */
export type Values<T extends Text> = [Needed<T>] extends [never]
  ? []
  : string extends Words<T>
    ? [values?: Record<string, string | number>]
    : [values: { [K in Needed<T>]: string | number }]

export type Translate<T extends Texts> = <K extends keyof T & string>(key: K, ...values: Values<T[K]>) => string

export type Locale = 'en' | 'fr'
