// How a document stands, as one word, an icon and a tone.
import type { InvoiceRowFragment } from '$gql/pages/invoices/list'
import type { BillRowFragment } from '$gql/pages/bills/list'

type Standing = InvoiceRowFragment['state'] | BillRowFragment['state'] | NonNullable<InvoiceRowFragment['paymentState']>

/** Once it is issued or posted, how far it is settled says more than that. */
export function standing({ state, paymentState }: Pick<InvoiceRowFragment | BillRowFragment, 'state' | 'paymentState'>): Standing {
  return paymentState ?? state
}
