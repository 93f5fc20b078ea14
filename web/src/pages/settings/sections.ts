export const sections = ['company', 'people', 'roles', 'api-keys', 'security'] as const
export type Section = (typeof sections)[number]

export function isSection(name: string | undefined): name is Section {
  return (sections as readonly (string | undefined)[]).includes(name)
}
