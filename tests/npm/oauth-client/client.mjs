// A partner's program, written with oauth4webapi and told nothing but the issuer: it finds the server's metadata, has a person consent in a
// browser, and gets, verifies, renews and takes back its tokens. Prints one line for each thing that held.
import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'

const given = JSON.parse(await new Response(process.stdin).text())
const insecure = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(given.issuer)
const held = (what) => console.log(what)

async function graphql(token, query, variables = {}) {
  const response = await fetch(new URL('/graphql', issuer), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  })
  return { status: response.status, body: await response.json() }
}

async function register(input) {
  const query = `mutation($input: RegisterApplicationInput!) {
    registerApplication(input: $input) { application { id } secret userErrors { code field message } } }`
  const { body } = await graphql(given.owner, query, { input })
  const made = body.data?.registerApplication
  assert.ok(made?.application, JSON.stringify(body))
  return { client: { client_id: made.application.id }, secret: made.secret }
}

// A browser, as far as it matters here: cookies, forms, and no script.
class Browser {
  cookies = new Map()
  async send(url, init = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split('=')
      assert.match(line, /; HttpOnly; SameSite=Lax/)
      this.cookies.set(name, value)
    }
    return response
  }
  async open(url) {
    this.at = new URL(url)
    const response = await this.send(this.at)
    this.page = await response.text()
    return response
  }
  forms() {
    const decode = (text) => text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name])
    return [...this.page.matchAll(/<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/gs)].map(([, action, inside]) => {
      const fields = new URLSearchParams()
      for (const [, name, value] of inside.matchAll(/<input type="(?:hidden|radio)" name="([^"]*)" value="([^"]*)"/g)) fields.set(name, decode(value))
      return { action: new URL(action, this.at), fields, inside }
    })
  }
  async submit(form, fields) {
    for (const [name, value] of Object.entries(fields)) form.fields.set(name, value)
    const response = await this.send(form.action, { method: 'POST', body: form.fields, headers: { origin: issuer.origin } })
    if (response.status !== 303) this.page = await response.text()
    return response
  }
}

const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }))
assert.deepEqual(as.code_challenge_methods_supported, ['S256'])
held('discovery')

async function consented(browser, client, redirectUri, scope) {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(as.authorization_endpoint)
  const asked = { client_id: client.client_id, redirect_uri: redirectUri, response_type: 'code', scope, state, code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' }
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value)
  let response = await browser.open(url)
  assert.equal(response.status, 200, browser.page)
  assert.match(response.headers.get('content-security-policy'), /frame-ancestors 'none'/)
  if (browser.page.includes('name="password"')) {
    response = await browser.submit(browser.forms()[0], { email: given.email, password: given.password })
    assert.equal(response.status, 303, browser.page)
    response = await browser.open(new URL(response.headers.get('location'), issuer))
  }
  assert.match(browser.page, /<strong>Till &amp; Co<\/strong>/)
  response = await browser.submit(browser.forms()[0], { action: 'approve' })
  assert.equal(response.status, 303, browser.page)
  const back = new URL(response.headers.get('location'))
  assert.ok(back.href.startsWith(redirectUri), back.href)
  return { parameters: oauth.validateAuthResponse(as, client, back, state), verifier }
}

const redirectUri = 'https://till.example/callback?from=coulisse'
const redeem = async (client, auth, { parameters, verifier }, uri = redirectUri) =>
  oauth.processAuthorizationCodeResponse(as, client, await oauth.authorizationCodeGrantRequest(as, client, auth, parameters, uri, verifier, insecure))
const renew = async (client, auth, token) =>
  oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, auth, token, insecure))
const invalidGrant = (error) => error.error === 'invalid_grant'
const viewer = async (token) => (await graphql(token, '{ viewer { actor { kind name application } permissions { name } } }'))

const registered = { name: 'Till & Co', homepage: 'https://till.example/', permissions: ['kpi.read', 'invoicing.read', 'company.read'] }
const browser = new Browser()
{
  const { client, secret } = await register({ ...registered, kind: 'CONFIDENTIAL', grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'], redirectUris: [redirectUri] })
  for (const auth of [oauth.ClientSecretBasic(secret), oauth.ClientSecretPost(secret)]) {
    const code = await consented(browser, client, redirectUri, 'kpi.read company.read')
    const tokens = await redeem(client, auth, code)
    assert.equal(tokens.scope, 'company.read kpi.read')
    const request = new Request(new URL('/graphql', issuer), { headers: { authorization: `Bearer ${tokens.access_token}` } })
    const claims = await oauth.validateJwtAccessToken(as, request, new URL('/graphql', issuer).href, insecure)
    assert.equal(claims.client_id, client.client_id)
    const { body } = await viewer(tokens.access_token)
    assert.deepEqual(body.data.viewer.actor, { kind: 'GRANT', name: 'Ada', application: 'Till & Co' })
    assert.deepEqual(body.data.viewer.permissions.map((p) => p.name), ['company.read', 'kpi.read'])
    await assert.rejects(redeem(client, auth, code), invalidGrant)
    assert.equal((await viewer(tokens.access_token)).status, 401, 'a code that came again has ended its tokens')
  }
  held('code with PKCE, once')

  const auth = oauth.ClientSecretBasic(secret)
  const first = await redeem(client, auth, await consented(browser, client, redirectUri, 'kpi.read'))
  const second = await renew(client, auth, first.refresh_token)
  assert.notEqual(second.refresh_token, first.refresh_token)
  assert.equal((await viewer(second.access_token)).status, 200)
  await assert.rejects(renew(client, auth, first.refresh_token), invalidGrant)
  await assert.rejects(renew(client, auth, second.refresh_token), invalidGrant)
  assert.equal((await viewer(second.access_token)).status, 401)
  held('refresh rotation, and the end of a family')

  const third = await redeem(client, auth, await consented(browser, client, redirectUri, 'kpi.read'))
  const introspect = async (token) =>
    oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, auth, token, insecure))
  assert.equal((await introspect(third.access_token)).active, true)
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, third.refresh_token, insecure))
  assert.equal((await introspect(third.access_token)).active, false)
  assert.equal((await viewer(third.access_token)).status, 401)
  await assert.rejects(renew(client, auth, third.refresh_token), invalidGrant)
  held('introspection and revocation')

  const wrong = await consented(browser, client, redirectUri, 'kpi.read')
  await assert.rejects(redeem(client, auth, { ...wrong, verifier: oauth.generateRandomCodeVerifier() }), invalidGrant)
  const stranger = await register({ ...registered, kind: 'CONFIDENTIAL', grantTypes: ['AUTHORIZATION_CODE'], redirectUris: [redirectUri] })
  const stolen = await consented(browser, client, redirectUri, 'kpi.read')
  await assert.rejects(redeem(stranger.client, oauth.ClientSecretBasic(stranger.secret), stolen), invalidGrant)
  await assert.rejects(redeem(client, oauth.ClientSecretBasic('co_wrong'), stolen), (error) => error.status === 401 || error.cause?.[0]?.scheme === 'basic')
  held('codes of others')
}
{
  const native = { kind: 'PUBLIC', grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'], redirectUris: ['http://127.0.0.1/callback'] }
  const { client, secret } = await register({ ...registered, ...native })
  assert.equal(secret, null)
  const here = 'http://127.0.0.1:49152/callback'
  const tokens = await redeem(client, oauth.None(), await consented(browser, client, here, 'kpi.read'), here)
  assert.equal((await viewer((await renew(client, oauth.None(), tokens.refresh_token)).access_token)).status, 200)
  held('a public client on a loopback port')
}

const itself = async (client, auth, scope) =>
  oauth.processClientCredentialsResponse(as, client, await oauth.clientCredentialsGrantRequest(as, client, auth, scope ? { scope } : {}, insecure))
{
  const { client, secret } = await register({ ...registered, kind: 'CONFIDENTIAL', grantTypes: ['CLIENT_CREDENTIALS'] })
  const tokens = await itself(client, oauth.ClientSecretBasic(secret), 'kpi.read')
  const { body } = await viewer(tokens.access_token)
  assert.deepEqual(body.data.viewer.actor, { kind: 'GRANT', name: null, application: 'Till & Co' })
  await assert.rejects(itself(client, oauth.ClientSecretBasic(secret), 'ledger.read'), (error) => error.error === 'invalid_scope')
  held('client credentials by a secret')
}
for (const algorithm of ['Ed25519', 'ES256', 'PS256', 'RS256']) {
  const pair = await oauth.generateKeyPair(algorithm, { extractable: true })
  const jwk = { ...(await crypto.subtle.exportKey('jwk', pair.publicKey)), kid: 'k1', use: 'sig', key_ops: ['verify'] }
  delete jwk.ext
  const { client, secret } = await register({ ...registered, kind: 'CONFIDENTIAL', grantTypes: ['CLIENT_CREDENTIALS'], jwks: { keys: [jwk] } })
  assert.equal(secret, null)
  const auth = oauth.PrivateKeyJwt({ key: pair.privateKey, kid: 'k1' })
  assert.equal((await viewer((await itself(client, auth)).access_token)).status, 200)
  const other = await oauth.generateKeyPair(algorithm)
  await assert.rejects(itself(client, oauth.PrivateKeyJwt({ key: other.privateKey, kid: 'k1' })), (error) => error.error === 'invalid_client')
  held(`private_key_jwt by ${algorithm}`)
}
