// What an application gives the SDK's auth(): where it remembers things, and how it sends the person away.

import { logIn } from "./person.mts";

export const REDIRECT_URI = "http://127.0.0.1:33418/client/callback";

/** Forgets everything at the end; the person logs in as soon as they are asked to. */
export class Login {
  redirectUrl = REDIRECT_URI;
  clientMetadata: Record<string, unknown>;
  arrived?: URL;
  private client: unknown;
  private granted: unknown;
  private verifier = "";
  private readonly user: string;

  constructor(name: string, user: string) {
    this.clientMetadata = { client_name: name, redirect_uris: [REDIRECT_URI] };
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

  /** What the redirect brought, once its state is right. */
  answer(): URLSearchParams {
    if (this.arrived?.searchParams.get("state") !== this.state()) throw new Error(`wrong state: ${this.arrived}`);
    return this.arrived.searchParams;
  }
}

type Tools = { tools: { name: string }[] };
type Result = { content: { text: string }[] };
type Connected = {
  listTools(): Promise<Tools>;
  callTool(call: { name: string; arguments: unknown }): Promise<Result>;
  close(): Promise<void>;
};

/** Lists the tools, calls `echo`, and says what came of it. */
export async function report(client: Connected): Promise<void> {
  const { tools } = await client.listTools();
  const result = await client.callTool({ name: "echo", arguments: JSON.parse(process.env.GATEWAY_ARGUMENTS ?? "{}") });
  const names = tools.map((tool) => tool.name);
  process.stdout.write(`${JSON.stringify({ tools: names, answer: result.content[0]?.text })}\n`);
  await client.close();
  process.exit(0);
}
