// The TypeScript SDK (version 2) as a user of the scripted fixture; plan and report are those of ../python/eras.py.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(fileURLToPath(new URL("../../../.tools/npm/package.json", import.meta.url)));
const { Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");

/** Milliseconds for something that is to come by itself. */
const PATIENCE = 60_000;
const ROUTE = { region: "eu", priority: 7, dryRun: true, text: "grüß Gott" };

type Plan = { url: string; mode: string; token?: string };

async function call(client: any, name: string, args: object = {}, options: object = {}): Promise<string> {
  const result = await client.callTool({ name, arguments: args }, options);
  return result.content[0].text;
}

async function until(happened: () => Promise<boolean>): Promise<void> {
  while (!(await happened())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Whether a changed list of tools is heard of: by a subscription, or on the session's own stream. */
async function hearsOfChange(client: any, modern: boolean): Promise<void> {
  const changed = new Promise<void>((resolve) =>
    client.setNotificationHandler("notifications/tools/list_changed", () => resolve()),
  );
  const subscription = modern ? await client.listen({ toolsListChanged: true }) : undefined;
  await call(client, "list_changed");
  await changed;
  await subscription?.close();
  await until(async () => (await call(client, "listeners")) === "0");
}

/** Gives a call up as soon as it has begun, and waits until the server knows. */
async function cancels(client: any): Promise<true> {
  const before = await call(client, "cancelled");
  const given = new AbortController();
  const options = { signal: given.signal, onprogress: () => given.abort() };
  await call(client, "progress", { steps: 10 ** 6, ms: 20 }, options).then(
    () => Promise.reject(new Error("it was given up")),
    () => {},
  );
  await until(async () => (await call(client, "cancelled")) !== before);
  return true;
}

/** A revision with sessions is all that the client then speaks. */
function opening(mode: string): object {
  if (mode.startsWith("202")) return { supportedProtocolVersions: [mode], versionNegotiation: { mode: "legacy" } };
  return { versionNegotiation: { mode } };
}

async function use({ url, mode, token }: Plan): Promise<object> {
  const options = { capabilities: { elicitation: {} }, ...opening(mode) };
  const client = new Client({ name: "eras", version: "1" }, options);
  const asked: string[] = [];
  client.setRequestHandler("elicitation/create", ({ params }: any) => {
    asked.push(params.message);
    return { action: "accept", content: { answer: "Ada Lovelace" } };
  });
  const requestInit = token ? { headers: { Authorization: `Bearer ${token}` } } : {};
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  const protocol = client.getNegotiatedProtocolVersion();
  const tools = (await client.listTools()).tools.map(({ name }: { name: string }) => name);
  const echo = await call(client, "echo", { text: "grüß Gott" });
  const progress: number[] = [];
  await call(client, "progress", { steps: 3 }, { onprogress: ({ progress: done }: any) => progress.push(done) });
  const route = JSON.parse(await call(client, "route", ROUTE));
  const answer = JSON.parse(await call(client, "elicit", { text: "who?", steps: 2 }));
  await hearsOfChange(client, protocol >= "2026-07-28");
  return { protocol, tools, echo, progress, route, answer, asked, cancelled: await cancels(client) };
}

setTimeout(() => process.exit(1), PATIENCE).unref();
const report = await use(JSON.parse(process.argv[2] ?? "{}"));
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
