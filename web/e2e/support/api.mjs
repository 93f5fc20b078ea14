// The public API, for what a scenario needs before it begins.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { url } from './browser.mjs'

export const PASSWORD = 'a long sentence to keep'

/** A published e-invoice (EN 16931). */
export function sample(name = 'facturx-fr-good.xml') {
  return readFileSync(new URL(`../../../domains/invoicing/tests/data/einvoices/${name}`, import.meta.url))
}

/** Sends a document that must succeed. */
export async function ask(token, query, variables = {}) {
  const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' }
  if (token) headers.authorization = `Bearer ${token}`
  if (/^\s*mutation/.test(query)) headers['idempotency-key'] = randomUUID()
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query, variables }),
  })
  const answer = await response.json()
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors))
  for (const payload of Object.values(answer.data)) {
    assert.deepEqual(payload?.userErrors ?? [], [], query)
  }
  return answer.data
}

/** Founds a company, whose own texts are in its language; its owner's token and sign-in. */
export async function found(name, { email = `${randomUUID()}@example.com`, locale = 'en' } = {}) {
  const data = await ask(
    null,
    `mutation ($input: SignUpInput!) {
      signUp(input: $input) { session { token } userErrors { code message } } }`,
    {
      input: {
        email,
        name: 'Ada Martin',
        password: PASSWORD,
        company: {
          name,
          legalForm: 'SAS',
          country: 'FR',
          currency: 'EUR',
          timeZone: 'Europe/Paris',
          locale,
          chart: 'FR_PCG',
        },
      },
    },
  )
  return { token: data.signUp.session.token, email, name }
}

/** Uploads a file and makes a bill of it; the bill. */
export async function importBill(token, name = 'facturx-fr-good.xml', bytes = sample(name)) {
  const { createUpload } = await ask(
    token,
    `mutation ($input: CreateUploadInput!) {
      createUpload(input: $input) { file { id } uploadUrl userErrors { code message } } }`,
    { input: { name, mediaType: 'application/xml', size: bytes.length } },
  )
  const put = await fetch(createUpload.uploadUrl, { method: 'PUT', body: bytes })
  assert.equal(put.status, 201)
  const { importBills } = await ask(
    token,
    `mutation ($input: ImportBillsInput!) {
      importBills(input: $input) { files { bill { id number version } userError { message } } userErrors { code message } } }`,
    { input: { uploadIds: [createUpload.file.id] } },
  )
  const [file] = importBills.files
  assert.equal(file.userError, null, JSON.stringify(file))
  return file.bill
}

/** The newest letter of a kind to an address, waited for as people do. */
export async function letter(to, kind) {
  for (let tries = 0; tries < 150; tries += 1) {
    const response = await fetch(`${url}/outbox.json?to=${encodeURIComponent(to)}`)
    const found = (await response.json()).find((one) => one.kind === kind)
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.fail(`no letter ${kind} to ${to}`)
}

/** Proves an address by the letter that went to it: without that nobody signs in with it. */
export async function confirm(email) {
  const { link } = await letter(email, 'confirm_address')
  const token = new URL(link).searchParams.get('token')
  const body = new URLSearchParams({ token, password: PASSWORD })
  const answer = await fetch(`${url}/confirm`, { method: 'POST', body })
  assert.equal(answer.status, 200)
}
