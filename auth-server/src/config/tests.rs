use std::time::Duration;

use super::*;
use crate::jwt::Algorithm;

const MINIMAL: [(&str, &str); 4] = [
    ("BASE_DOMAIN", "Example.com"),
    ("GITHUB_CLIENT_ID", "id"),
    ("GITHUB_CLIENT_SECRET", "secret"),
    ("ALLOWED_GITHUB_USERS", "octocat"),
];

fn with(more: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
    Config::from_vars(MINIMAL.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[test]
fn four_variables_are_enough_and_the_rest_is_safe() {
    let config = with(&[]).unwrap();
    assert_eq!(config.issuer(), "https://auth.example.com");
    assert_eq!(config.host, "127.0.0.1");
    assert!(config.storage.redis_url.is_none() && !config.forward_auth_token);
    assert_eq!(config.lifetimes.code, Duration::from_secs(600));
    assert_eq!(config.storage.redis_timeout, Duration::from_secs(1));
}

#[test]
fn every_fault_is_reported_at_once() {
    let faults =
        Config::from_vars([("ACCESS_TOKEN_LIFETIME".into(), "soon".into()), ("LOG_LEVEL".into(), "loud".into())]);
    let said = faults.unwrap_err().0.join("\n");
    for name in ["BASE_DOMAIN", "GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET", "ALLOWED_GITHUB_USERS"] {
        assert!(said.contains(name), "{name} missing in:\n{said}");
    }
    assert!(said.contains("«soon»") && said.contains("«loud»"), "{said}");
}

#[test]
fn an_empty_allow_list_is_refused_and_the_star_is_named() {
    let blank = MINIMAL.map(|(name, value)| (name, if name == "ALLOWED_GITHUB_USERS" { " " } else { value }));
    let faults = Config::from_vars(blank.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap_err();
    assert!(faults.to_string().contains("say * for every GitHub account"), "{faults}");
    assert_eq!(with(&[("ALLOWED_GITHUB_USERS", "*")]).unwrap().people, People::Anyone);
}

#[test]
fn an_empty_value_means_unset() {
    let config = with(&[("REDIS_URL", ""), ("CLIENT_LIFETIME", ""), ("GITHUB_API_URL", " ")]).unwrap();
    assert!(config.storage.redis_url.is_none());
    assert_eq!(config.lifetimes.client, Some(Duration::from_secs(7_776_000)));
    assert_eq!(config.github.api_url, "https://api.github.com");
}

#[test]
fn clients_live_forever_at_zero() {
    assert_eq!(with(&[("CLIENT_LIFETIME", "0")]).unwrap().lifetimes.client, None);
}

#[test]
fn a_domain_may_carry_a_port_but_no_scheme_or_path() {
    assert_eq!(with(&[("BASE_DOMAIN", "localhost:8443")]).unwrap().issuer(), "https://auth.localhost:8443");
    for wrong in ["https://example.com", "example.com/", "example.com/x", "user@example.com", "a b"] {
        assert!(with(&[("BASE_DOMAIN", wrong)]).is_err(), "{wrong}");
    }
}

#[test]
fn a_log_is_text_unless_json_is_asked_for() {
    assert_eq!(with(&[]).unwrap().log.format, LogFormat::Text);
    assert_eq!(with(&[("LOG_FORMAT", "JSON")]).unwrap().log.format, LogFormat::Json);
    assert!(with(&[("LOG_FORMAT", "xml")]).is_err());
}

#[test]
fn metrics_are_told_only_where_the_operator_says() {
    assert_eq!(with(&[]).unwrap().metrics_addr, None);
    assert_eq!(with(&[("METRICS_ADDR", "[::1]:9090")]).unwrap().metrics_addr.as_deref(), Some("[::1]:9090"));
    for wrong in ["9090", ":9090", "localhost", "localhost:http", "127.0.0.1:99999"] {
        assert!(with(&[("METRICS_ADDR", wrong)]).is_err(), "{wrong}");
    }
}

#[test]
fn pythons_level_names_are_understood() {
    assert_eq!(with(&[("LOG_LEVEL", "WARNING")]).unwrap().log.level, log::LevelFilter::Warn);
}

#[test]
fn no_secret_appears_in_a_fault_or_in_debug_output() {
    let faults = with(&[("REDIS_URL", "hunter2@redis"), ("REDIS_PASSWORD", "hunter2")]).unwrap_err();
    assert!(!faults.to_string().contains("hunter2"), "{faults}");
    let config = with(&[("GITHUB_CLIENT_SECRET", "hunter2"), ("JWT_SECRET", "hunter2")]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn an_algorithm_is_one_that_is_issued_or_the_old_services() {
    let signing = |algorithm| with(&[("JWT_ALGORITHM", algorithm), ("JWT_SECRET", "old")]).map(|config| config.signing);
    for (text, algorithm) in [("RS256", Algorithm::Rs256), ("es256", Algorithm::Es256), ("EdDSA", Algorithm::EdDsa)] {
        let signing = signing(text).unwrap();
        assert_eq!(signing.algorithm, algorithm);
        assert!(signing.legacy_secret.is_none(), "a forgotten secret is no second key");
    }
    let old = signing("HS256").unwrap();
    assert_eq!((old.algorithm, old.legacy_secret.is_some()), (Algorithm::Rs256, true));
    assert!(signing("none").unwrap_err().to_string().contains("JWT_ALGORITHM «none» is not one of RS256, ES256"));
    let secretless = with(&[("JWT_ALGORITHM", "HS256")]).unwrap_err().to_string();
    assert!(secretless.contains("JWT_SECRET is not set"), "{secretless}");
}
