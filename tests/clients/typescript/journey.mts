// The TypeScript SDK's (version 1) own auth() and client, from 401 to a tool's answer.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Login, report } from "./login.mts";

const require = createRequire(fileURLToPath(new URL("../../../.tools/npm/package.json", import.meta.url)));
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const { UnauthorizedError } = require("@modelcontextprotocol/sdk/client/auth.js");

async function connect(url: URL, login: Login) {
  const info = { name: "typescript-journey", version: "1" };
  const first = new StreamableHTTPClientTransport(url, { authProvider: login });
  try {
    await new Client(info).connect(first);
    throw new Error("the gateway let a client in without a token");
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  await first.finishAuth(login.answer().get("code"));
  const client = new Client(info);
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider: login }));
  return client;
}

const { GATEWAY_URL = "", GATEWAY_USER = "" } = process.env;
await report(await connect(new URL(GATEWAY_URL), new Login("TypeScript SDK", GATEWAY_USER)));
