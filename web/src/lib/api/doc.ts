/** The text of an operation, with the types of its answer and its variables. */
export type Doc<Result, Variables> = string & { readonly __of?: (variables: Variables) => Result }

/** An entry of `userErrors`. */
export interface UserError {
  code: string
  field: string | null
  message: string
}
