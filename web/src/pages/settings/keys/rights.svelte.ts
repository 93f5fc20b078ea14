// The rights that a key can be given: those that the one who makes it has.
import { ApiKeyRightsDocument, type ApiKeyRightsQuery } from '$gql/pages/settings/api-keys'
import { query } from '$lib/api/client'
import { session } from '$lib/session.svelte'

export type Right = ApiKeyRightsQuery['permissions'][number]

/** The rights, in groups by what they are about (`bills`, `ledger`). */
export async function grantable(): Promise<ReadonlyMap<string, readonly Right[]>> {
  const { permissions } = await query(ApiKeyRightsDocument, {})
  const groups = new Map<string, Right[]>()
  for (const right of permissions) {
    if (!session.can(right.name)) continue
    const [about = right.name] = right.name.split('.')
    groups.set(about, [...(groups.get(about) ?? []), right])
  }
  return groups
}
