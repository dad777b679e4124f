// npm oidc-provider as authorization server: `node oauth2_provider.mjs FOLDER PORT CLIENTS`, where the folder has it among
// its node_modules and the file has the clients as a JSON list.
//
// Whoever logs in is an account under that name. Access tokens are opaque; for a resource they are JWTs.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, port, clients] = process.argv.slice(2);
const entry = createRequire(resolve(folder, "package.json")).resolve("oidc-provider");
const { Provider, errors } = await import(pathToFileURL(entry));

const RESOURCES = ["https://api.example/sms", "https://api.example/voice"];

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: JSON.parse(readFileSync(clients, "utf8")),
  scopes: ["openid", "offline_access", "sms:read", "sms:send", "sms:delete"],
  clientAuthMethods: [
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
  ],
  cookies: { keys: ["for one run"] },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => {
        if (!RESOURCES.includes(resource)) throw new errors.InvalidTarget();
        return { scope: "sms:read sms:send", accessTokenFormat: "jwt", accessTokenTTL: 60 };
      },
    },
  },
  findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  ttl: {
    AccessToken: 60,
    AuthorizationCode: 60,
    ClientCredentials: 60,
    Grant: 600,
    Interaction: 600,
    RefreshToken: 600,
    Session: 600,
  },
});

provider.listen(Number(port), "127.0.0.1");
