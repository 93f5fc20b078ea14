// What a request for rights asks, in words.
import { tt } from './texts'
import type { Access } from './items'

export function requestTitle(access: Access): string {
  switch (access.act) {
    case 'CHANGE_ROLE':
      return tt('request.CHANGE_ROLE', { name: access.member?.name ?? '–' })
    case 'INVITE_MEMBER':
      return tt('request.INVITE_MEMBER', { email: access.email ?? '–' })
    case 'UPDATE_ROLE':
      return tt('request.UPDATE_ROLE', { role: access.role?.name ?? '–' })
    default:
      return tt(`request.${access.act}`)
  }
}

/** Which rights it would add, and which it would take away; null where rights are not what it is about. */
export function rightsChange(access: Access): { gains: string[]; loses: string[] } | null {
  const before = access.act === 'UPDATE_ROLE' ? access.role?.permissions : access.member?.role.permissions
  const after = access.act === 'UPDATE_ROLE' ? access.permissions : access.role?.permissions
  if (!after) return null
  const had = new Set(before?.map(({ name }) => name))
  const gets = new Set(after.map(({ name }) => name))
  return {
    gains: [...gets].filter((name) => !had.has(name)),
    loses: [...had].filter((name) => !gets.has(name)),
  }
}
