//! The same through the whole line: TLS, Traefik, auth-server, sidecar.

use gateway_tests::{
    client::{Client, Login},
    harness::{Gateway, Setup, StoreKind, tool},
};
use serde_json::json;

use crate::sdk::Sdk;

async fn token(gateway: &Gateway, service: &str) -> String {
    let client = Client::register(gateway.browser(), &gateway.issuer(), &format!("A user of {service}")).await;
    let login = Login { user: "octocat", resource: &gateway.mcp(service), scope: "openid" };
    client.log_in(&login).await.access_token
}

#[tokio::test]
async fn both_sdks_use_a_node_and_a_python_server_behind_the_gateway() {
    let server = "npm/node_modules/@modelcontextprotocol/server-everything/dist/index.js";
    let everything = ["node/bin/node", server].map(|part| tool(part).to_string_lossy().into_owned());
    let time = [tool("venv/bin/mcp-server-time").to_string_lossy().into_owned()];
    let gateway = Setup::new(StoreKind::Embedded).sidecar("everything", everything).sidecar("time", time).start();
    let echo = json!({ "tool": "echo", "arguments": { "message": "grüß Gott" } });
    let elicit = json!({ "tool": "trigger-elicitation-request", "arguments": {} });
    let now = json!({ "tool": "get_current_time", "arguments": { "timezone": "Europe/Vienna" } });
    let authority = gateway.certificate.authority();
    for (service, steps, answer) in
        [("everything", vec![elicit, echo], "Echo: grüß Gott"), ("time", vec![now], "Europe/Vienna")]
    {
        let token = token(&gateway, service).await;
        let plan = json!({ "url": gateway.mcp(service), "token": token, "roots": [], "steps": steps });
        for sdk in [Sdk::Python, Sdk::TypeScript] {
            let report = sdk.uses(&plan, Some(&authority));
            assert!(report.answers.last().unwrap().contains(answer), "{sdk:?}: {report:?}");
        }
    }
}
