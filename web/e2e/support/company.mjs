// A company with something on every page.
import { ask, found, importBill, sample } from './api.mjs'

const today = () => new Date().toISOString().slice(0, 10)

async function invoice(token, customerId, taxCodeId, unitPrice) {
  const line = { description: 'Table en chêne', quantity: '2', unitPrice, taxCodeId }
  const { createInvoice } = await ask(
    token,
    `mutation ($input: CreateInvoiceInput!) {
      createInvoice(input: $input) { invoice { id version } userErrors { code field message } } }`,
    { input: { customerId, lines: [line] } },
  )
  return createInvoice.invoice
}

/** Founds it; what the pages show a thing of its own. */
export async function furnished(locale = 'en') {
  const owner = await found('Atelier Lumen', { locale })
  const { token } = owner
  const { createParty } = await ask(
    token,
    `mutation ($input: CreatePartyInput!) { createParty(input: $input) { party { id } userErrors { code field message } } }`,
    { input: { isCustomer: true, isSupplier: true, name: 'Maison Delmas', country: 'FR', email: 'compta@delmas.example' } },
  )
  const party = createParty.party.id
  const { taxCodes } = await ask(token, '{ taxCodes(first: 50) { edges { node { id code } } } }')
  const standard = taxCodes.edges.find(({ node }) => node.code === 'S20').node.id
  const issued = await invoice(token, party, standard, '480')
  const { issueInvoice } = await ask(
    token,
    `mutation ($input: IssueInvoiceInput!) {
      issueInvoice(input: $input) { invoice { id journalEntry { id } } userErrors { code field message } } }`,
    { input: { invoiceId: issued.id, expectedVersion: issued.version } },
  )
  const draft = await invoice(token, party, standard, '125.50')
  await ask(
    token,
    `mutation ($input: RecordPaymentInput!) { recordPayment(input: $input) { payment { id } userErrors { code field message } } }`,
    {
      input: {
        direction: 'RECEIVED',
        partyId: party,
        paidOn: today(),
        amount: { amount: '400.00', currency: 'EUR' },
        method: 'TRANSFER',
        allocations: [{ documentId: issued.id, amount: { amount: '400.00', currency: 'EUR' } }],
      },
    },
  )
  const bill = await importBill(token)
  const late = sample().toString().replaceAll('FA-2026-0001', 'FA-2026-0007')
  await importBill(token, 'second.xml', Buffer.from(late))
  const { accounts } = await ask(token, '{ accounts(first: 100) { edges { node { id number } } } }')
  return {
    ...owner,
    party,
    draft: draft.id,
    invoice: issued.id,
    entry: issueInvoice.invoice.journalEntry.id,
    bill: bill.id,
    account: accounts.edges.find(({ node }) => node.number.startsWith('411')).node.id,
  }
}
