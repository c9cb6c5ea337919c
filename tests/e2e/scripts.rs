//! What `just` runs against a gateway that is there: `mcp-client-token`, `check-ssl`.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
};

use gateway_tests::harness::{Gateway, Headers, Setup, StoreKind, repository};
use reqwest::StatusCode;
use url::Url;

fn gateway() -> (Gateway, Headers) {
    let server = Headers::start();
    (Setup::new(StoreKind::Embedded).upstream("one", server.url()).start(), server)
}

fn script(gateway: &Gateway, name: &str) -> Command {
    let mut command = Command::new(repository().join("scripts").join(name));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("BASE_DOMAIN", gateway.traefik.base_domain());
    let authority = gateway.certificate.authority();
    command.env("CURL_CA_BUNDLE", &authority).env("SSL_CERT_FILE", &authority).env("MCP_SERVICES", "one");
    command
}

#[tokio::test]
async fn a_person_gets_a_token_for_a_program_by_pasting_a_code() {
    let (gateway, _server) = gateway();
    let mut token = script(&gateway, "mcp-client-token");
    token.arg("one").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = token.spawn().unwrap();
    // Kept open: the script goes on writing there.
    let mut told = BufReader::new(running.stderr.take().unwrap());
    let url =
        told.by_ref().lines().map(Result::unwrap).find(|line| line.starts_with("https://")).expect("a URL to open");

    let shown = gateway.browser().log_in(&Url::parse(&url).unwrap(), "octocat").await.page();
    let code = shown.url.query_pairs().find(|(name, _)| name == "code").expect("the page has the code").1.into_owned();
    assert!(shown.html.contains(&code), "{}", shown.html);
    writeln!(running.stdin.take().unwrap(), "{code}").unwrap();
    let output = running.wait_with_output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{lines}");

    let value =
        |name: &str| lines.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{lines}"));
    let request = gateway.browser().http.get(gateway.mcp("one")).bearer_auth(value("MCP_CLIENT_ACCESS_TOKEN="));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    assert!(value("MCP_CLIENT_ID=").starts_with("client_") && !value("MCP_CLIENT_REFRESH_TOKEN=").is_empty());
}

#[test]
fn certificates_are_shown_with_their_end_and_a_foreign_one_is_noticed() {
    let (gateway, _server) = gateway();
    let output = script(&gateway, "check-ssl").output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}");
    for host in ["auth.localhost", "one.localhost"] {
        assert!(shown.lines().any(|line| line.contains(host) && line.contains("until ")), "{shown}");
    }
    let foreign = script(&gateway, "check-ssl").env_remove("SSL_CERT_FILE").output().unwrap();
    assert_eq!(foreign.status.code(), Some(1));
}
