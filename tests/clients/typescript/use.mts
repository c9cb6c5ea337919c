// The TypeScript SDK as a user of one server; plan and report are those of ../python/use.py.
// With `"vanishes": true` it leaves without DELETE, as programs do that just end.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(fileURLToPath(new URL("../../../.tools/npm/package.json", import.meta.url)));
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { SSEClientTransport } = require("@modelcontextprotocol/sdk/client/sse.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const types = require("@modelcontextprotocol/sdk/types.js");

/** Milliseconds for something that is to come by itself. */
const PATIENCE = 60_000;

type Step = Record<string, any>;
type Plan = { url: string; token?: string; roots: string[]; steps: Step[]; vanishes?: boolean };

/** Answers what servers ask, and remembers what they say. */
class Person {
  readonly asked: string[] = [];
  readonly progress: number[] = [];
  private readonly updated = new Set<string>();
  private tell = () => {};
  private readonly roots: string[];

  constructor(roots: string[]) {
    this.roots = roots;
  }

  attend(client: any): void {
    client.setRequestHandler(types.CreateMessageRequestSchema, () => {
      this.asked.push("sampling");
      return { role: "assistant", content: { type: "text", text: "a sampled answer" }, model: "nobody" };
    });
    client.setRequestHandler(types.ElicitRequestSchema, () => {
      this.asked.push("elicitation");
      return { action: "accept", content: { name: "Ada Lovelace" } };
    });
    client.setRequestHandler(types.ListRootsRequestSchema, () => {
      this.asked.push("roots");
      return { roots: this.roots.map((uri) => ({ uri, name: "workspace" })) };
    });
    client.setNotificationHandler(types.ResourceUpdatedNotificationSchema, (note: any) => {
      this.updated.add(note.params.uri);
      this.tell();
    });
  }

  async waitForUpdate(uri: string): Promise<string> {
    while (!this.updated.has(uri)) await new Promise<void>((resolve) => (this.tell = resolve));
    return uri;
  }
}

function textOf(contents: any[]): string {
  return contents.map((content) => content.text ?? content.type).join("\n");
}

/** Once, or until its answer contains what is waited for. */
async function call(client: any, person: Person, step: Step): Promise<string> {
  for (;;) {
    const onprogress = ({ progress }: { progress: number }) => person.progress.push(progress);
    const request = { name: step.tool, arguments: step.arguments };
    const text = textOf((await client.callTool(request, undefined, { onprogress })).content);
    if (text.includes(step.until ?? "")) return text;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function carryOut(client: any, person: Person, step: Step): Promise<string> {
  if (step.tool) return call(client, person, step);
  if (step.prompt) {
    const { messages } = await client.getPrompt({ name: step.prompt, arguments: step.arguments });
    return textOf(messages.map((message: any) => message.content));
  }
  if (step.read) return textOf((await client.readResource({ uri: step.read })).contents);
  if (step.updated) return person.waitForUpdate(step.updated);
  await client.subscribeResource({ uri: step.subscribe });
  return step.subscribe;
}

/** Names of everything that the server declares. */
async function listed(client: any): Promise<Record<string, string[]>> {
  const declares = client.getServerCapabilities();
  const everything: Record<string, string[]> = { tools: [], prompts: [], resources: [], templates: [] };
  const names = (list: any[], key: string) => list.map((one) => one[key]);
  if (declares.tools) everything.tools = names((await client.listTools()).tools, "name");
  if (declares.prompts) everything.prompts = names((await client.listPrompts()).prompts, "name");
  if (declares.resources) {
    everything.resources = names((await client.listResources()).resources, "uri");
    everything.templates = names((await client.listResourceTemplates()).resourceTemplates, "uriTemplate");
  }
  return everything;
}

function tooLate(): Promise<never> {
  return new Promise((_, reject) => setTimeout(reject, PATIENCE, new Error("this takes too long")).unref());
}

const plan: Plan = JSON.parse(process.argv[2] ?? "{}");
const person = new Person(plan.roots);
const client = new Client({ name: "user", version: "1" }, { capabilities: { sampling: {}, elicitation: {}, roots: {} } });
person.attend(client);
const headers = plan.token ? { Authorization: `Bearer ${plan.token}` } : {};
const legacy = plan.url.endsWith("/sse");
const Transport = legacy ? SSEClientTransport : StreamableHTTPClientTransport;
const transport = new Transport(new URL(plan.url), { requestInit: { headers } });
await client.connect(transport);
const everything = await listed(client);
const answers: string[] = [];
for (const step of plan.steps) answers.push(await Promise.race([carryOut(client, person, step), tooLate()]));
if (!plan.vanishes && !legacy) await transport.terminateSession();
const { name, version } = client.getServerVersion();
const report = { name, version, protocol: transport.protocolVersion, ...everything, answers, asked: person.asked };
process.stdout.write(`${JSON.stringify({ ...report, progress: person.progress })}\n`, () => process.exit(0));
