//! A certificate is renewed while the gateway runs, as docs/deploy.md says.

use std::{fs, process::Command};

use gateway_tests::{
    client::raw_get,
    harness::{Certificate, Headers, Setup, StoreKind, within},
};
use reqwest::StatusCode;

use crate::{doctor::changed, support::SOON};

#[tokio::test]
async fn certificate_reload_needs_no_restart_and_open_connections_live_on() {
    // The project's own files, in a folder of their own: one of them is touched.
    let dynamic = changed("tls.yml", "tls:", "tls:");
    let server = Headers::start();
    let setup = Setup::new(StoreKind::Embedded).upstream("one", server.url());
    let gateway = setup.dynamic(dynamic.path()).start();
    let host = format!("auth.localhost:{}", gateway.traefik.https_port);
    let served_with = |authority: &std::path::Path| raw_get(authority, &host, "/jwks").starts_with("HTTP/1.1 200");

    let open = gateway.browser();
    let jwks = format!("https://{host}/jwks");
    assert_eq!(open.http.get(&jwks).send().await.unwrap().status(), StatusCode::OK);

    // The same names, another authority: whoever trusts the old one alone could not connect anew.
    let renewed = Certificate::make(&["one".to_owned()]);
    fs::copy(renewed.chain(), gateway.certificate.chain()).unwrap();
    fs::copy(renewed.key(), gateway.certificate.key()).unwrap();
    assert!(Command::new("touch").arg(dynamic.path().join("tls.yml")).status().unwrap().success());

    within(SOON, "the renewed certificate", || served_with(&renewed.authority()).then_some(()));
    assert!(!served_with(&gateway.certificate.authority()), "the old certificate is still served");
    assert_eq!(open.http.get(&jwks).send().await.unwrap().status(), StatusCode::OK, "an open connection was cut");
}
