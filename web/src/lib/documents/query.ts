// What stands in the URL's query of a list, read safely: an old or mistyped link shows the list, and no error.

/** The values of a key that are among the known ones. */
export function some<T extends string>(query: URLSearchParams, key: string, known: readonly T[]): T[] {
  return query.getAll(key).filter((value): value is T => (known as readonly string[]).includes(value))
}

export function one<T extends string>(query: URLSearchParams, key: string, known: readonly T[]): T | undefined {
  return some(query, key, known)[0]
}

export function day(query: URLSearchParams, key: string): string | undefined {
  const value = query.get(key) ?? ''
  return /^\d{4}-\d{2}-\d{2}$/.test(value) ? value : undefined
}

export function text(query: URLSearchParams, key: string): string | undefined {
  return query.get(key)?.trim() || undefined
}

export function flag(query: URLSearchParams, key: string): boolean | undefined {
  const value = query.get(key)
  return value === 'yes' ? true : value === 'no' ? false : undefined
}
