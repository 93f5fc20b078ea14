// Words for what a customer or supplier is.
import { tt } from './texts'

export function roleOf({ isCustomer, isSupplier }: { isCustomer: boolean; isSupplier: boolean }): string {
  return isCustomer && isSupplier ? tt('role.both') : isSupplier ? tt('role.supplier') : tt('role.customer')
}

export function termsOf({ paymentDays, endOfMonth }: { paymentDays: number; endOfMonth: boolean }): string {
  const days = paymentDays === 0 ? tt('terms.now') : tt('terms.days', { count: paymentDays })
  return endOfMonth ? tt('terms.month', { days }) : days
}

export function placeOf({ city, country }: { city: string | null; country: string }): string {
  return [city, country].filter(Boolean).join(', ')
}
