//! «Secrets or tokens in logs»: whole journeys at trace level, then the log is searched for every secret that was used.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    redis_server::RedisServer,
    support::{
        Service,
        github::code_for,
        journey::{Registered, VERIFIER, location, query},
    },
};

const REDIS_PASSWORD: &str = "redis-hunter2";
const JWT_SECRET: &str = "the secret of the Python service, 32 bytes and more";

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

/// Logs in step by step; every secret on the way goes into `used`.
async fn log_in(service: &Service, client: &Registered, login: &str, used: &mut Vec<String>) -> Option<String> {
    let asked = service.ask(&client.id, &[]).await;
    let to_github = service.decide(&asked, "approve").await;
    let state = query(&location(&to_github), "state").unwrap();
    let github_code = code_for(login);
    let back = service.callback(&asked.cookie, &[("code", &github_code), ("state", &state)]).await;
    let code = query(&location(&back), "code");
    let (_, cookie) = asked.cookie.split_once('=').unwrap();
    used.extend([asked.state.clone(), cookie.to_owned(), state, github_code, format!("gho-{login}")]);
    used.extend(code.clone());
    code
}

/// All that a client does in its life, wrong things among them.
async fn journey(service: &Service, method: &str, used: &mut Vec<String>) {
    let client = service.register(method).await;
    let management = text(&client.answer, "registration_access_token");
    used.extend(client.secret.clone());
    used.push(management.clone());
    let code = log_in(service, &client, "octocat", used).await.unwrap();
    log_in(service, &client, "broken", used).await;
    log_in(service, &client, "stranger", used).await;
    let (_, first) = service.redeem(&client, &code).await;
    let (_, second) = service.refresh(&client, &text(&first, "refresh_token")).await;
    let tokens = [&first, &second].map(|tokens| [text(tokens, "access_token"), text(tokens, "refresh_token")]);
    used.extend(tokens.concat());
    let [_, [access, refresh]] = &tokens;
    service.verify(Some(access)).await;
    service.verify(Some(&access[..access.len() - 4])).await;
    service.redeem(&client, &code).await;
    for path in ["/introspect", "/revoke"] {
        for token in [access, refresh] {
            let secret = client.secret.as_deref().unwrap_or_default();
            let form = [("token", token.as_str()), ("client_id", &client.id), ("client_secret", secret)];
            service.http.post(service.at(path)).form(&form).send().await.unwrap();
        }
    }
    service.get(&format!("/success?code={code}")).await;
    let basic = service.http.post(service.at("/token")).basic_auth(&client.id, Some("basic-hunter2"));
    basic.form(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]).send().await.unwrap();
    let uri = text(&client.answer, "registration_client_uri");
    let uri = service.at(uri.strip_prefix("https://auth.example.com").unwrap());
    service.http.get(&uri).bearer_auth("reg-hunter2").send().await.unwrap();
    service.http.delete(&uri).bearer_auth(&management).send().await.unwrap();
}

#[actix_web::test]
async fn secrets_or_tokens_are_in_no_log_at_any_level() {
    let dir = tempfile::tempdir().unwrap();
    let redis = RedisServer::start(dir.path(), Some(REDIS_PASSWORD));
    let url = redis.url();
    for format in ["text", "json"] {
        let mut service = Service::start_program(&[
            ("LOG_LEVEL", "trace"),
            ("LOG_FORMAT", format),
            ("REDIS_URL", url.expose()),
            ("REDIS_PASSWORD", REDIS_PASSWORD),
            ("REDIS_TIMEOUT_SECONDS", "30"),
            ("JWT_ALGORITHM", "HS256"),
            ("JWT_SECRET", JWT_SECRET),
        ])
        .await;
        let mut used = ["github-secret", REDIS_PASSWORD, JWT_SECRET, VERIFIER, "hunter2", "octo@example.org"]
            .map(str::to_owned)
            .to_vec();
        for method in ["none", "client_secret_post"] {
            journey(&service, method, &mut used).await;
        }
        let log = service.log().await;
        assert!(log.contains("TRACE") && log.contains("client_deleted"), "the log is not worth searching");
        for secret in used {
            let signature = secret.rsplit('.').next().unwrap();
            for form in [secret.as_str(), signature, &STANDARD.encode(&secret), &secret.replace(' ', "+")] {
                let found = log.lines().find(|line| line.contains(form));
                assert!(found.is_none(), "«{form}» of «{secret}» is in {found:?}");
            }
        }
        service.stop().await;
    }
}
