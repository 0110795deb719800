// A strict OAuth2 server: checks secrets, rotates refresh tokens and refuses used ones, short access tokens,
// introspection, revocation. Whoever comes to the authorize URL is user u1 and consents.
import http from "node:http";
import { Provider } from "oidc-provider";

const { PORT, TTL, SECRET, SCOPE } = process.env;
const ttl = Number(TTL);
const client = (client_id, token_endpoint_auth_method) => ({
  client_id,
  client_secret: SECRET,
  token_endpoint_auth_method,
  application_type: "native", // a loopback redirect of any port
  grant_types: ["client_credentials", "refresh_token", "authorization_code"],
  response_types: ["code"],
  redirect_uris: ["http://127.0.0.1/callback"],
  scope: SCOPE,
});

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [client("sync", "client_secret_basic"), client("sync-body", "client_secret_post")],
  scopes: SCOPE.split(" "),
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    devInteractions: { enabled: false },
  },
  ttl: { ClientCredentials: ttl, AccessToken: ttl, RefreshToken: 86400, Grant: 86400, Session: 3600, Interaction: 600 },
  pkce: { required: () => false },
  rotateRefreshToken: true,
  findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (context, interaction) => `/test/interaction/${interaction.uid}` },
  cookies: { keys: ["of the tests"] },
});

async function grant(clientId) {
  const given = new provider.Grant({ accountId: "u1", clientId });
  given.addOIDCScope(SCOPE);
  return given.save();
}

async function consent(req, res) {
  const { prompt, params } = await provider.interactionDetails(req, res);
  const login = { accountId: "u1" };
  const result = prompt.name === "login" ? { login } : { consent: { grantId: await grant(params.client_id) } };
  await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: true });
}

async function refreshToken(req, res) {
  const id = new URL(req.url, "http://127.0.0.1").searchParams.get("client_id");
  const token = new provider.RefreshToken({
    accountId: "u1",
    client: await provider.Client.find(id),
    grantId: await grant(id),
    gty: "authorization_code",
    scope: SCOPE,
    authTime: 1,
    claims: {},
  });
  res.setHeader("content-type", "application/json");
  res.end(JSON.stringify({ refresh_token: await token.save() }));
}

const api = provider.callback();
http
  .createServer((req, res) => {
    const own = req.url.startsWith("/test/interaction/") ? consent : req.url.startsWith("/test/refresh-token") ? refreshToken : null;
    if (own === null) return api(req, res);
    own(req, res).catch((error) => { res.statusCode = 500; res.end(String(error)); });
  })
  .listen(Number(PORT), "127.0.0.1");
