// Version 1 of the TypeScript SDK comes back to a stream whose answer was an error: what it then hears, and how often.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(fileURLToPath(new URL("../../../.tools/npm/package.json", import.meta.url)));
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const { ToolListChangedNotificationSchema } = require("@modelcontextprotocol/sdk/types.js");

/** Milliseconds for something that is to come by itself. */
const PATIENCE = 60_000;

async function use(url: string, changes: number): Promise<object> {
  const gets: number[] = [];
  let onResumed = (_status: number) => {};
  const resumed = new Promise<number>((resolve) => (onResumed = resolve));
  const listening = Promise.withResolvers<void>();
  const watched = async (input: URL, init: RequestInit) => {
    const response = await fetch(input, init);
    if (init.method === "GET") {
      gets.push(response.status);
      if (new Headers(init.headers).has("last-event-id")) onResumed(response.status);
      else listening.resolve();
    }
    return response;
  };
  const client = new Client({ name: "resume", version: "1" }, { capabilities: {} });
  let heard = 0;
  const all = Promise.withResolvers<void>();
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    if (++heard === changes) all.resolve();
  });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch: watched }));
  await listening.promise;

  const given = new AbortController();
  const options = { signal: given.signal, onprogress: () => given.abort() };
  const call = client.callTool({ name: "progress", arguments: { steps: 10 ** 6, ms: 20 } }, undefined, options);
  await call.then(() => Promise.reject(new Error("it was given up")), () => {});
  const status = await resumed;
  for (let change = 0; change < changes; change++) await client.callTool({ name: "list_changed", arguments: {} });
  await all.promise;
  return { resumed: status, gets, heard };
}

setTimeout(() => process.exit(1), PATIENCE).unref();
const [, , url, changes] = process.argv;
const seen = await use(url ?? "", Number(changes));
process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0));
