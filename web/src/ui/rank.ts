// How well an entry of the palette fits what was typed.

/** Greater is better; 0 does not fit. All words must be found; accents and case do not count. */
export function rank(entry: { label: string; keywords?: string; hint?: string }, typed: string): number {
  const words = plain(typed).split(/\s+/).filter(Boolean)
  if (words.length === 0) return 1
  const label = plain(entry.label)
  const rest = plain(`${entry.keywords ?? ''} ${entry.hint ?? ''}`)
  let total = 0
  for (const word of words) {
    const score = label.startsWith(word)
      ? 8
      : new RegExp(`(^|[^\\p{L}\\p{N}])${escape(word)}`, 'u').test(label)
        ? 6
        : label.includes(word)
          ? 4
          : rest.includes(word)
            ? 2
            : 0
    if (score === 0) return 0
    total += score
  }
  return total / words.length
}

export function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
