// Rights by the domain that their names begin with.
export interface Right {
  name: string
  meaning: string
}

/** In the order that the API lists them: `invoicing.read` belongs to `invoicing`. */
export function byDomain(rights: readonly Right[]): { name: string; rights: Right[] }[] {
  const groups = new Map<string, Right[]>()
  for (const right of rights) {
    const name = right.name.split('.')[0] ?? right.name
    const group = groups.get(name)
    if (group) group.push(right)
    else groups.set(name, [right])
  }
  return Array.from(groups, ([name, members]) => ({ name, rights: members }))
}
