//! The public URLs, through Traefik, as clients and attackers meet them.

use std::time::SystemTime;

use reqwest::Method;

use super::{Finding, Grade, web::Web};
use crate::config::Config;

const ROUTE: &str = "check DNS, the certificate and Traefik's routers for this host (traefik/dynamic/auth.yml); from inside \
                     a container the public name must lead to Traefik too";
const IDENTITY: [(&str, &str); 4] =
    [("X-User-Id", "1"), ("X-User-Name", "doctor"), ("X-Client-Id", "doctor"), ("X-Scope", "openid")];

pub(super) async fn check(config: &Config, web: &Web, http_port: u16, now: fn() -> SystemTime) -> Vec<Finding> {
    let issuer = config.issuer();
    let mut findings = vec![discovery(web, &issuer, &issuer).await];
    if findings.iter().all(|finding| finding.grade != Grade::Fine) {
        // The other checks would say the same, less clearly.
        return findings;
    }
    if let Ok(answer) = web.get(&issuer).await {
        findings.extend(answer.clock("Traefik's", now()));
    }
    findings.push(verify_is_private(web, config, &issuer).await);
    findings.push(http_leads_to_https(web, config, http_port).await);
    for service in &config.services {
        let host = format!("https://{service}.{}", config.base_domain);
        findings.push(discovery(web, &host, &issuer).await);
        findings.push(resource(web, service, &host, &issuer).await);
        findings.push(challenge(web, service, &host).await);
        findings.push(identity(web, service, &host).await);
    }
    findings
}

/// RFC 8414 §3: on the issuer; on MCP hosts for clients of 2025-03-26.
async fn discovery(web: &Web, host: &str, issuer: &str) -> Finding {
    let check = format!("discovery {}", host.trim_start_matches("https://"));
    match web.get(&format!("{host}/.well-known/oauth-authorization-server")).await {
        Err(cause) => Finding::wrong(check, cause, ROUTE),
        Ok(answer) if answer.status != 200 => Finding::wrong(check, format!("it answers {}", answer.status), ROUTE),
        Ok(answer) => {
            let says = answer.json()["issuer"].as_str().unwrap_or("nothing").to_owned();
            let advice = "set the same BASE_DOMAIN for Traefik, auth-server and this command";
            Finding::judge(&check, says == issuer, format!("issuer {says}"), advice)
        }
    }
}

/// RFC 9728 §3.3: clients compare `resource` with the URL that they know.
async fn resource(web: &Web, service: &str, host: &str, issuer: &str) -> Finding {
    let check = format!("resource metadata {service}");
    let answer = match web.get(&format!("{host}/.well-known/oauth-protected-resource/mcp")).await {
        Ok(answer) if answer.status == 200 => answer.json(),
        Ok(answer) => return Finding::wrong(check, format!("it answers {}", answer.status), ROUTE),
        Err(cause) => return Finding::wrong(check, cause, ROUTE),
    };
    let is_fine = answer["resource"] == format!("{host}/mcp") && answer["authorization_servers"][0] == issuer;
    let seen = format!("resource {}, authorization server {}", answer["resource"], answer["authorization_servers"][0]);
    Finding::judge(
        &check,
        is_fine,
        seen,
        "let Traefik pass the Host header as it is, and set BASE_DOMAIN alike everywhere",
    )
}

/// RFC 9728 §5.1: without it clients do not find where to log in.
async fn challenge(web: &Web, service: &str, host: &str) -> Finding {
    let check = format!("challenge {service}");
    let answer = match web.ask(Method::POST, &format!("{host}/mcp"), &[]).await {
        Ok(answer) => answer,
        Err(cause) => return Finding::wrong(check, cause, ROUTE),
    };
    if answer.status != 401 {
        let advice = "give the service's router the middleware mcp-guard@file (mcp-cors, mcp-auth)";
        return Finding::wrong(check, format!("without a token it answers {}, not 401", answer.status), advice);
    }
    let expected = format!("resource_metadata=\"{host}/.well-known/oauth-protected-resource/mcp\"");
    let seen = answer.header("www-authenticate").unwrap_or("no WWW-Authenticate").to_owned();
    let advice = "let no middleware or proxy remove or rewrite WWW-Authenticate of a 401";
    Finding::judge(&check, seen.contains(&expected), seen.clone(), advice)
}

/// What a client says of itself changes nothing.
async fn identity(web: &Web, service: &str, host: &str) -> Finding {
    let check = format!("forged identity {service}");
    let forged =
        [&IDENTITY[..], &[("X-Forwarded-Host", "elsewhere.example"), ("X-Forwarded-Method", "OPTIONS")]].concat();
    let advice = "use the entry point's strip-identity middleware, mcp-guard@file on the router, and no forwardedHeaders.insecure";
    match web.ask(Method::POST, &format!("{host}/mcp"), &forged).await {
        Err(cause) => Finding::wrong(check, cause, ROUTE),
        Ok(answer) => {
            let named = format!("{host}/.well-known/");
            let same =
                answer.status == 401 && answer.header("www-authenticate").is_none_or(|text| text.contains(&named));
            Finding::judge(
                &check,
                same,
                format!("with X-User-Id and X-Forwarded-Host of its own: {}", answer.status),
                advice,
            )
        }
    }
}

/// It answers Traefik. Asked directly, it must not take the asker's word for what the request was: neither let a
/// preflight pass that nobody sent, nor speak for the host that the asker names.
async fn verify_is_private(web: &Web, config: &Config, issuer: &str) -> Finding {
    let host = format!("doctor.{}", config.base_domain);
    let forged = [("X-Forwarded-Method", "OPTIONS"), ("X-Forwarded-Host", host.as_str()), ("X-Forwarded-Uri", "/mcp")];
    match web.ask(Method::GET, &format!("{issuer}/verify"), &forged).await {
        Err(cause) => Finding::wrong("/verify from outside", cause, ROUTE),
        Ok(answer) => {
            let named = answer.header("www-authenticate").is_some_and(|text| text.contains(&host));
            let is_fine = (300..500).contains(&answer.status) && !named;
            let advice = "let only Traefik reach auth-server's port, and let Traefik drop X-Forwarded-* of clients \
                          (entryPoints: no forwardedHeaders.insecure, trustedIPs only of your own proxies)";
            let seen = format!("asked about a request that nobody sent, it answers {}", answer.status);
            Finding::judge("/verify from outside", is_fine, seen, advice)
        }
    }
}

async fn http_leads_to_https(web: &Web, config: &Config, http_port: u16) -> Finding {
    let domain = config.base_domain.rsplit_once(':').map_or(config.base_domain.as_str(), |(domain, _)| domain);
    let url = format!("http://auth.{domain}:{http_port}/");
    match web.get(&url).await {
        // Nobody listens: nothing is said in the clear.
        Err(cause) => Finding::notice("http", cause, "open port 80 if people are to type the name without https"),
        Ok(answer) => {
            let to = answer.header("location").unwrap_or_default().to_owned();
            let is_fine = (300..400).contains(&answer.status) && to.starts_with("https://");
            let advice = "redirect the entry point web to websecure (traefik/traefik.yml)";
            Finding::judge("http", is_fine, format!("{} {to}", answer.status), advice)
        }
    }
}
