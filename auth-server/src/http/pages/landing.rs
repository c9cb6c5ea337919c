//! What this is, which services there are, and the exact line that connects each popular client.

use askama::Template;
use serde_json::{Value, json};

use super::words;

#[derive(Template)]
#[template(path = "landing.html")]
pub(crate) struct LandingPage<'a> {
    style: &'static str,
    domain: &'a str,
    services: Vec<Service<'a>>,
    guides: Vec<Guide>,
}

struct Service<'a> {
    name: &'a str,
    url: String,
    words: &'static str,
}

/// How one client is connected: what to do, and what to copy.
struct Guide {
    client: &'static str,
    first: &'static str,
    lines: Vec<String>,
    then: &'static str,
}

impl<'a> LandingPage<'a> {
    pub(crate) fn new(domain: &'a str, names: &'a [String]) -> Self {
        let service =
            |name: &'a str| Service { name, url: format!("https://{name}.{domain}/mcp"), words: words::service(name) };
        let services: Vec<_> = names.iter().map(|name| service(name)).collect();
        // Nothing is configured: the lines then say where the name goes.
        let example = [service("SERVICE")];
        let guides = guides(if services.is_empty() { &example } else { &services });
        Self { style: super::STYLE, domain, services, guides }
    }
}

fn guides(services: &[Service<'_>]) -> Vec<Guide> {
    let each = |line: &dyn Fn(&Service<'_>) -> String| services.iter().map(line).collect::<Vec<_>>();
    let guide = |client, first, lines, then| Guide { client, first, lines, then };
    let urls = || each(&|service| service.url.clone());
    let signs_in = "A page opens where you sign in and decide what it may do.";
    vec![
        guide(
            "Claude",
            "On the web or in the app: Settings → Connectors → Add custom connector. Paste as URL:",
            urls(),
            signs_in,
        ),
        guide(
            "Claude Code",
            "In a terminal:",
            each(&|s| format!("claude mcp add --transport http {} {}", s.name, s.url)),
            "Then type /mcp in Claude Code and choose the service to sign in.",
        ),
        guide(
            "VS Code",
            "In a terminal:",
            each(&|s| format!("code --add-mcp '{}'", json!({"name": s.name, "type": "http", "url": s.url}))),
            "Then start it under «MCP: List Servers»; VS Code asks you to sign in.",
        ),
        guide(
            "Cursor",
            "In ~/.cursor/mcp.json, or .cursor/mcp.json of a project:",
            vec![servers(services, |service| json!({"url": service.url}))],
            "Cursor then shows «Needs login» beside each under Settings → MCP.",
        ),
        guide(
            "ChatGPT",
            "Settings → Apps & Connectors → Advanced settings: switch developer mode on. Then Create, with OAuth, and as URL:",
            urls(),
            signs_in,
        ),
        guide(
            "MCP Inspector",
            "In a terminal; choose Streamable HTTP, paste the URL of a service, and Connect:",
            [vec!["npx @modelcontextprotocol/inspector".to_owned()], urls()].concat(),
            signs_in,
        ),
        guide(
            "Clients that can only start programs",
            "mcp-remote stands between them and this gateway. In the client's configuration:",
            vec![servers(services, |service| json!({"command": "npx", "args": ["-y", "mcp-remote", service.url]}))],
            "Your browser opens at the first start, so that you can sign in.",
        ),
        guide(
            "Python",
            "With pip install fastmcp:",
            vec![python(&services[0].url)],
            "The first run opens your browser.",
        ),
        guide(
            "TypeScript",
            "With npm install @modelcontextprotocol/sdk:",
            vec![typescript(&services[0].url)],
            "authProvider is your OAuthClientProvider: it opens the sign-in page and keeps the tokens.",
        ),
    ]
}

/// The `mcpServers` object that many clients read.
fn servers(services: &[Service<'_>], server: impl Fn(&Service<'_>) -> Value) -> String {
    let all: serde_json::Map<_, _> =
        services.iter().map(|service| (service.name.to_owned(), server(service))).collect();
    format!("{:#}", json!({"mcpServers": all}))
}

fn python(url: &str) -> String {
    format!(
        "import asyncio\nfrom fastmcp import Client\n\nasync def main():\n    async with Client(\"{url}\", auth=\"oauth\") as client:\n        print(await client.list_tools())\n\nasyncio.run(main())"
    )
}

fn typescript(url: &str) -> String {
    format!(
        "import {{ Client }} from \"@modelcontextprotocol/sdk/client/index.js\";\nimport {{ StreamableHTTPClientTransport }} from \"@modelcontextprotocol/sdk/client/streamableHttp.js\";\n\nconst url = new URL(\"{url}\");\nconst client = new Client({{ name: \"my-client\", version: \"1\" }});\nawait client.connect(new StreamableHTTPClientTransport(url, {{ authProvider }}));"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn landing(services: &[&str]) -> String {
        let services: Vec<_> = services.iter().map(|name| (*name).to_owned()).collect();
        let html = LandingPage::new("example.com", &services).render().unwrap();
        html.replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&")
    }

    #[test]
    fn every_popular_client_has_its_line_to_copy_for_every_service() {
        let html = landing(&["time", "fetch"]);
        for line in [
            "claude mcp add --transport http time https://time.example.com/mcp",
            "claude mcp add --transport http fetch https://fetch.example.com/mcp",
            r#"code --add-mcp '{"name":"time","type":"http","url":"https://time.example.com/mcp"}'"#,
            r#""url": "https://time.example.com/mcp""#,
            r#""mcp-remote","#,
            "npx @modelcontextprotocol/inspector",
            r#"Client("https://time.example.com/mcp", auth="oauth")"#,
            r#"new URL("https://time.example.com/mcp")"#,
            "ChatGPT",
        ] {
            assert!(html.contains(line), "«{line}» missing in {html}");
        }
    }

    #[test]
    fn without_a_list_of_services_the_lines_say_where_the_name_goes() {
        let html = landing(&[]);
        assert!(html.contains("https://SERVICE.example.com/mcp"), "{html}");
    }
}
