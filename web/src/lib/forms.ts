// Refusals of a mutation, at their fields.
import type { UserError } from '$lib/api/doc'
import { told as inWords } from '$lib/words.svelte'

export { sentence, told } from '$lib/words.svelte'

/** Messages by field; what belongs to no field of the form stands under ''. */
export type FieldErrors = Record<string, string>

/**
 * The messages by the paths of their fields. `fields` are those that the form shows: what is said about another one is
 * told above the form.
 */
export function fieldErrors(errors: readonly UserError[], fields?: readonly string[]): FieldErrors {
  const told: FieldErrors = {}
  for (const error of errors) {
    const { field } = error
    const words = inWords(error)
    const at = field && (!fields || fields.includes(field)) ? field : ''
    told[at] = told[at] ? `${told[at]} ${words}` : words
  }
  return told
}

/** Whether it was refused because somebody else has changed it. */
export function isConflict(errors: readonly UserError[]): boolean {
  return errors.some(({ code }) => code === 'CONFLICT')
}

/** Puts the focus on the first field of a form that has an error. Call it after a tick. */
export function focusError(form: HTMLElement | undefined) {
  const field = form?.querySelector<HTMLElement>('[aria-invalid="true"]') ?? form?.querySelector<HTMLElement>('[role="alert"]')
  field?.focus()
}
