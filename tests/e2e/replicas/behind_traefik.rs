//! Two replicas behind real Traefik, round-robin, no sticky cookie: clients notice nothing.

use gateway_tests::{
    client::{Events, McpClient},
    harness::{Setup, StoreKind},
};
use reqwest::StatusCode;
use rmcp::{
    ServiceExt,
    model::CallToolRequestParams,
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use serde_json::json;

use super::{Replicas, person};
use crate::support::log_in;

async fn both_were_asked(replicas: &Replicas) {
    for replica in &replicas.replicas {
        assert!(replica.metric("mcp_received_bytes_total").await > 0);
    }
}

#[tokio::test]
async fn the_rust_sdk_notices_nothing_of_two_replicas() {
    let replicas = Replicas::start(&[]);
    let balancer = replicas.balancer();
    let config = StreamableHttpClientTransportConfig::with_uri(format!("{}/mcp", balancer.url()));
    let transport = StreamableHttpClientTransport::with_client(person("alice"), config);
    let client = ().serve(transport).await.unwrap();
    assert!(client.list_all_tools().await.unwrap().len() > 5);
    let mut pids = Vec::new();
    for _ in 0..8 {
        let result = client.call_tool(CallToolRequestParams::new("pid")).await.unwrap();
        pids.push(serde_json::to_value(&result.content).unwrap()[0]["text"].clone());
    }
    pids.dedup();
    assert_eq!(pids.len(), 1, "one session, one process");
    client.cancel().await.unwrap();
    both_were_asked(&replicas).await;
}

#[tokio::test]
async fn a_person_who_logged_in_works_with_two_replicas_as_with_one() {
    let replicas = Replicas::start(&["--require-user"]);
    let balancer = replicas.balancer();
    let gateway = Setup::new(StoreKind::Embedded).upstream("one", balancer.url()).start();
    let (client, tokens) = log_in(&gateway, "octocat", "one").await;
    let session = McpClient::connect(&client.browser.http, &gateway.mcp("one"), &tokens.access_token).await;
    let pid = session.call("pid", json!({})).await;
    for _ in 0..5 {
        assert_eq!(session.call("pid", json!({})).await, pid);
    }
    let mut stream = Events::of(session.listen(None).await);
    session.call("list_changed", json!({})).await;
    stream.until("notifications/tools/list_changed").await;
    assert_eq!(session.delete().await, StatusCode::NO_CONTENT);
    both_were_asked(&replicas).await;
    replicas.never_logged(&tokens.access_token);
    replicas.never_logged(&session.session);
}
