// What protects the account changes only with fresh proof: one dialog asks for it, whatever is to be changed.
import type { FreshProofInput } from '$gql/pages/settings/security'
import type { UserError } from '$lib/api/doc'

/** Does what was asked for with a proof, and answers why it was refused. */
export type Act = (proof: FreshProofInput) => Promise<readonly UserError[]>

class Asking {
  act = $state.raw<Act | null>(null)
  for(act: Act) {
    this.act = act
  }
}
export const proof = new Asking()
