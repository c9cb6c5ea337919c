// The TypeScript SDK's (version 2) own auth() and client, from 401 to a tool's answer. It offers 2026-07-28 first.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Login, report } from "./login.mts";

const require = createRequire(fileURLToPath(new URL("../../../.tools/npm/package.json", import.meta.url)));
const { Client, StreamableHTTPClientTransport, UnauthorizedError } = require("@modelcontextprotocol/client");

async function connect(url: URL, login: Login) {
  const info = { name: "typescript-journey", version: "2" };
  const options = { versionNegotiation: { mode: "auto" } };
  const first = new StreamableHTTPClientTransport(url, { authProvider: login });
  try {
    await new Client(info, options).connect(first);
    throw new Error("the gateway let a client in without a token");
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  await first.finishAuth(login.answer());
  const client = new Client(info, options);
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider: login }));
  return client;
}

const { GATEWAY_URL = "", GATEWAY_USER = "" } = process.env;
await report(await connect(new URL(GATEWAY_URL), new Login("TypeScript SDK 2", GATEWAY_USER)));
