// The person in front of the browser: reads a page's form, allows, types a user name, and ends at the client's door.

type Page = { url: URL; response: Response };

/** Keeps cookies per host, as a browser does. */
class Browser {
  private readonly cookies = new Map<string, Map<string, string>>();

  async fetch(url: URL, form?: URLSearchParams): Promise<Page> {
    const jar = this.cookies.get(url.host) ?? new Map<string, string>();
    this.cookies.set(url.host, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers: Record<string, string> = { accept: "text/html", ...(cookie && { cookie }) };
    const response = await fetch(url, { method: form ? "POST" : "GET", body: form, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ""] = line.split(";");
      jar.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    }
    return { url, response };
  }
}

/** From the authorization URL to the redirect that the client gets. */
export async function logIn(authorizationUrl: URL, redirectUri: string, user: string): Promise<URL> {
  const browser = new Browser();
  let page = await follow(browser, await browser.fetch(authorizationUrl), redirectUri);
  for (const typed of [{ decision: "approve" }, { decision: "approve", login: user }]) {
    const { action, fields } = formOf(await page.response.text());
    for (const [name, value] of Object.entries(typed)) fields.set(name, value);
    page = await follow(browser, await browser.fetch(new URL(action, page.url), fields), redirectUri);
  }
  return new URL(page.response.headers.get("location") ?? "about:nowhere");
}

async function follow(browser: Browser, page: Page, redirectUri: string): Promise<Page> {
  for (;;) {
    const location = page.response.headers.get("location");
    if (page.response.status >= 400) throw new Error(`${page.response.status} ${page.url}: ${await page.response.text()}`);
    if (!location || location.startsWith(redirectUri)) return page;
    page = await browser.fetch(new URL(location, page.url));
  }
}

function formOf(html: string): { action: string; fields: URLSearchParams } {
  const form = /<form[^>]*>.*?<\/form>/s.exec(html)?.[0];
  if (!form) throw new Error(`no form in: ${html}`);
  const fields = new URLSearchParams();
  for (const [input] of form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
    fields.set(attribute(input, "name"), attribute(input, "value"));
  }
  return { action: attribute(form, "action"), fields };
}

function attribute(tag: string, name: string): string {
  const value = new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? "";
  return value.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))).replaceAll("&amp;", "&");
}
