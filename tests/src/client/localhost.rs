//! `*.localhost` is this computer (RFC 6761 §6.3), which Debian's resolver does not know.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use reqwest::{
    Certificate, ClientBuilder,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

/// Resolves names below `localhost`, and nothing else: no test reaches beyond this computer.
#[derive(Clone, Copy, Debug)]
pub struct Localhost;

impl Resolve for Localhost {
    fn resolve(&self, name: Name) -> Resolving {
        let here = name.as_str() == "localhost" || name.as_str().ends_with(".localhost");
        let found: Result<Addrs, Box<dyn std::error::Error + Send + Sync>> = match here {
            true => Ok(Box::new(std::iter::once(SocketAddr::from(([127, 0, 0, 1], 0))))),
            false => Err(format!("{} is not on this computer", name.as_str()).into()),
        };
        Box::pin(std::future::ready(found))
    }
}

/// Trusts `authority`, finds `*.localhost`, follows no redirect, gives up after a while.
pub fn http_client(authority: &Path) -> ClientBuilder {
    let pem = std::fs::read(authority).expect("the test authority's certificate can be read");
    reqwest::Client::builder()
        .tls_certs_only([Certificate::from_pem(&pem).expect("openssl wrote PEM")])
        .dns_resolver(Arc::new(Localhost))
        .redirect(Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(40))
}
