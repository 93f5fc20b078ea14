// An independent OpenID Connect provider to sign in with. Its one argument is JSON:
//   port      where it listens on 127.0.0.1; 0 takes a free one
//   clients   as the package `oidc-provider` takes them
//   accounts  by id: the claims; `login` ({ amr, acr }) says how they sign in
//   idToken   whether e-mail and name stand in the ID token too
//   host      what the issuer calls its host, 127.0.0.1 unless told
// It prints its issuer in one line when it listens. A person signs in by posting `account` to the interaction's page.
import { createServer } from "node:http";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import Provider from "oidc-provider";

const options = JSON.parse(process.argv[2]);
const accounts = options.accounts ?? {};

// A provider that starts anew has another key: so it changes its keys.
function freshKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
}

const port = await new Promise((resolve) => {
  const probe = createServer().listen(options.port ?? 0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});
const issuer = `http://${options.host ?? "127.0.0.1"}:${port}`;

const provider = new Provider(issuer, {
  clients: options.clients,
  jwks: { keys: [freshKey()] },
  cookies: { keys: ["cookies of a test"] },
  conformIdTokenClaims: !options.idToken,
  pkce: { required: () => true },
  enabledJWA: { idTokenSigningAlgValues: ["RS256", "HS256"] },
  acrValues: ["phr", "low"],
  claims: { openid: ["sub", "hd", "tid", "acr", "amr"], email: ["email", "email_verified"], profile: ["name"] },
  features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) =>
    accounts[id] && {
      accountId: id,
      claims: () => {
        const { login, ...claims } = accounts[id];
        return { sub: id, ...claims };
      },
    },
  // Who signs in agrees to everything.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid email profile");
    grant.addOIDCClaims(["hd", "tid", "acr", "amr"]);
    await grant.save();
    return grant;
  },
});

const asked = /^\/interaction\/([\w-]+)$/;
const handle = provider.callback();
createServer(async (request, response) => {
  const interaction = asked.exec(request.url);
  if (!interaction) return handle(request, response);
  try {
    const { params } = await provider.interactionDetails(request, response);
    if (request.method !== "POST") {
      response.setHeader("content-type", "text/html; charset=utf-8");
      return response.end(`<form method="post"><input name="account" value="${encodeURIComponent(params.login_hint ?? "")}"></form>`);
    }
    let body = "";
    for await (const part of request) body += part;
    const account = new URLSearchParams(body).get("account");
    const result = accounts[account]
      ? { login: { accountId: account, remember: false, ...accounts[account].login } }
      : { error: "access_denied", error_description: "nobody signed in" };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
}).listen(port, "127.0.0.1", () => console.log(issuer));
