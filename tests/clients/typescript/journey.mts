// The TypeScript SDK's own auth() and client, from 401 to a tool's answer.

import dns from "node:dns";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { logIn } from "./person.mts";

const REDIRECT_URI = "http://127.0.0.1:33418/client/callback";

// `*.localhost` is this computer (RFC 6761 §6.3), which Debian's getaddrinfo does not know.
const lookup = dns.lookup as (host: string, ...rest: unknown[]) => void;
Object.assign(dns, {
  lookup: (host: string, ...rest: unknown[]) => lookup(host.endsWith(".localhost") ? "127.0.0.1" : host, ...rest),
});

const require = createRequire(fileURLToPath(new URL("../../../.tools/npm/package.json", import.meta.url)));
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const { UnauthorizedError } = require("@modelcontextprotocol/sdk/client/auth.js");

/** Forgets everything at the end; the person logs in as soon as they are asked to. */
class Login {
  redirectUrl = REDIRECT_URI;
  clientMetadata = { client_name: "TypeScript SDK", redirect_uris: [REDIRECT_URI] };
  arrived?: URL;
  private client: unknown;
  private granted: unknown;
  private verifier = "";
  private readonly user: string;

  constructor(user: string) {
    this.user = user;
  }

  state = () => "typescript-state";
  clientInformation = () => this.client;
  saveClientInformation = (client: unknown) => void (this.client = client);
  tokens = () => this.granted;
  saveTokens = (tokens: unknown) => void (this.granted = tokens);
  saveCodeVerifier = (verifier: string) => void (this.verifier = verifier);
  codeVerifier = () => this.verifier;

  async redirectToAuthorization(url: URL): Promise<void> {
    this.arrived = await logIn(url, REDIRECT_URI, this.user);
  }
}

async function connect(url: URL, login: Login) {
  const info = { name: "typescript-journey", version: "1" };
  const first = new StreamableHTTPClientTransport(url, { authProvider: login });
  try {
    await new Client(info).connect(first);
    throw new Error("the gateway let a client in without a token");
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  if (login.arrived?.searchParams.get("state") !== login.state()) throw new Error(`wrong state: ${login.arrived}`);
  await first.finishAuth(login.arrived.searchParams.get("code"));
  const client = new Client(info);
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider: login }));
  return client;
}

const { GATEWAY_URL = "", GATEWAY_USER = "", GATEWAY_ARGUMENTS = "{}" } = process.env;
const client = await connect(new URL(GATEWAY_URL), new Login(GATEWAY_USER));
const { tools } = await client.listTools();
const result = await client.callTool({ name: "echo", arguments: JSON.parse(GATEWAY_ARGUMENTS) });
const names = tools.map((tool: { name: string }) => tool.name);
process.stdout.write(`${JSON.stringify({ tools: names, answer: result.content[0].text })}\n`);
await client.close();
process.exit(0);
