//! The Rust SDK's own OAuth code and client.

use gateway_tests::{client::REDIRECT_URI, client::http_client, harness::Gateway};
use rmcp::{
    ServiceExt,
    model::CallToolRequestParams,
    transport::{
        StreamableHttpClientTransport,
        auth::{AuthClient, AuthorizationRequest, OAuthState},
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Value, json};
use url::Url;

/// Logs in as the scripts in tests/clients do, and reports the same.
pub(crate) async fn journey(gateway: &Gateway) -> Value {
    let url = gateway.mcp("everything");
    let http = http_client(&gateway.certificate.authority()).build().unwrap();
    let mut login = OAuthState::new(url.as_str(), Some(http.clone())).await.unwrap();
    let request = AuthorizationRequest::new(REDIRECT_URI).with_client_name("rmcp");
    login.start_authorization(request).await.unwrap();
    let authorize = Url::parse(&login.get_authorization_url().await.unwrap()).unwrap();
    let back = gateway.browser().log_in(&authorize, "octocat").await.client();
    login.handle_callback_url(back.as_str()).await.unwrap();

    let manager = login.into_authorization_manager().expect("the login is complete");
    let config = StreamableHttpClientTransportConfig::with_uri(url);
    let transport = StreamableHttpClientTransport::with_client(AuthClient::new(http, manager), config);
    let client = ().serve(transport).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let arguments = json!({ "text": "grüß Gott" }).as_object().cloned().unwrap();
    let echo = CallToolRequestParams::new("echo").with_arguments(arguments);
    let result = client.call_tool(echo).await.unwrap();
    client.cancel().await.unwrap();
    let names: Vec<_> = tools.iter().map(|tool| tool.name.to_string()).collect();
    json!({ "tools": names, "answer": serde_json::to_value(&result.content).unwrap()[0]["text"] })
}
