// What all acts about people have in common: they may be refused, overtaken, or wait for another owner.
import type { UserError } from '$lib/api/doc'
import { isConflict, sentence } from '$lib/forms'
import { go } from '$lib/router.svelte'
import { toast } from '$lib/toast.svelte'
import { tt } from './texts'

interface Answer {
  userErrors: UserError[]
  accessRequest?: { id: string } | null
}

/** Tells how an act ended; answers whether it was done, or asked for. */
export function told({ userErrors, accessRequest }: Answer, done: string): boolean {
  const [wrong] = userErrors
  if (wrong) {
    toast.error(isConflict(userErrors) ? tt('act.conflict') : tt('act.failed', { message: sentence(wrong.message) }))
    return false
  }
  if (accessRequest) waits()
  else toast.done(done)
  return true
}

/** Says that another owner decides. */
export function waits() {
  toast.info(tt('pending.done'), { action: { label: tt('pending.look'), run: () => go('/approvals') } })
}
