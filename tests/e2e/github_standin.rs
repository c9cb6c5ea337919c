//! The stand-in for GitHub behaves as GitHub does where the gateway depends on it.

use gateway_tests::github::{At, Fault, GitHub, Membership, OAuthApp, github_id};
use reqwest::{Client, Response, StatusCode, redirect::Policy};
use serde_json::{Value, json};
use url::Url;

const CALLBACK: &str = "https://auth.localhost/callback";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

struct App {
    github: GitHub,
    http: Client,
}

impl App {
    fn start() -> Self {
        let github = GitHub::start(OAuthApp::with_callback(CALLBACK.to_owned()));
        Self { github, http: Client::builder().redirect(Policy::none()).build().unwrap() }
    }

    async fn submit(&self, changes: &[(&str, &str)]) -> Response {
        let mut form = vec![
            ("client_id", "standin-client"),
            ("redirect_uri", CALLBACK),
            ("state", "s1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("login", "octocat"),
            ("decision", "approve"),
        ];
        form.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        form.extend(changes);
        self.http.post(format!("{}/login/oauth/authorize", self.github.url())).form(&form).send().await.unwrap()
    }

    async fn code(&self) -> String {
        query(&self.submit(&[]).await, "code").expect("an approved login gives a code")
    }

    async fn exchange(&self, code: &str, changes: &[(&str, &str)]) -> Value {
        let mut form = vec![
            ("client_id", "standin-client"),
            ("client_secret", "standin-secret"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        form.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        form.extend(changes);
        let url = format!("{}/login/oauth/access_token", self.github.url());
        let request = self.http.post(url).header("accept", "application/json").form(&form);
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn get(&self, path: &str, token: &str) -> Response {
        self.http.get(format!("{}{path}", self.github.url())).bearer_auth(token).send().await.unwrap()
    }
}

fn query(response: &Response, name: &str) -> Option<String> {
    let location = Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
    location.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn a_login_gives_a_code_that_gives_a_token_that_names_the_user() {
    let app = App::start();
    let token = app.exchange(&app.code().await, &[]).await;
    assert_eq!(token["token_type"], "bearer");
    let user: Value = app.get("/user", token["access_token"].as_str().unwrap()).await.json().await.unwrap();
    assert_eq!((&user["login"], &user["id"]), (&json!("octocat"), &json!(github_id("octocat"))));
    assert_eq!(app.get("/user", "gho_guessed").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_code_is_good_once_with_the_right_secret_verifier_and_redirect() {
    let app = App::start();
    let code = app.code().await;
    assert_eq!(app.exchange(&code, &[("client_secret", "x")]).await["error"], "incorrect_client_credentials");
    assert!(app.exchange(&code, &[]).await["access_token"].is_string());
    assert_eq!(app.exchange(&code, &[]).await["error"], "bad_verification_code");
    let wrong_verifier = app.exchange(&app.code().await, &[("code_verifier", "x")]).await;
    assert_eq!(wrong_verifier["error"], "bad_verification_code");
    let wrong_redirect = app.exchange(&app.code().await, &[("redirect_uri", "https://evil.example/")]).await;
    assert_eq!(wrong_redirect["error"], "redirect_uri_mismatch");
}

#[tokio::test]
async fn a_foreign_redirect_uri_or_client_id_never_redirects() {
    let app = App::start();
    for changes in [("redirect_uri", "https://evil.example/"), ("client_id", "other")] {
        assert_eq!(app.submit(&[changes]).await.status(), StatusCode::BAD_REQUEST, "{changes:?}");
    }
}

#[tokio::test]
async fn a_refused_login_redirects_with_access_denied_and_the_state() {
    let app = App::start();
    let denied = app.submit(&[("decision", "deny")]).await;
    assert_eq!(query(&denied, "error").as_deref(), Some("access_denied"));
    assert_eq!(query(&denied, "state").as_deref(), Some("s1"));
}

#[tokio::test]
async fn faults_are_switched_on_over_http_and_healed_again() {
    let app = App::start();
    let faults = format!("{}/_faults", app.github.url());
    let wrong_state = json!({ "at": "authorize", "fault": "wrong_state" });
    assert!(app.http.post(&faults).json(&wrong_state).send().await.unwrap().status().is_success());
    assert_ne!(query(&app.submit(&[]).await, "state").as_deref(), Some("s1"));
    app.github.switch_on(At::User, Fault::RateLimited);
    let limited = app.get("/user", "any").await;
    assert_eq!(
        (limited.status(), &limited.headers()["x-ratelimit-remaining"]),
        (StatusCode::FORBIDDEN, &"0".parse().unwrap())
    );
    app.http.delete(&faults).send().await.unwrap();
    assert_eq!(query(&app.submit(&[]).await, "state").as_deref(), Some("s1"));
}

#[tokio::test]
async fn organisations_and_teams_come_page_by_page_and_need_read_org() {
    let app = App::start();
    let orgs: Vec<_> = (0..31).map(|i| format!("org-{i}")).collect();
    app.github.join("octocat", Membership { orgs, teams: vec!["org-1/devs".to_owned()] });
    let token = async |scope| {
        let code = query(&app.submit(&[("scope", scope)]).await, "code").unwrap();
        app.exchange(&code, &[]).await["access_token"].as_str().unwrap().to_owned()
    };
    let full = token("user:email read:org").await;
    let count = async |path: &str| {
        let list: Value = app.get(path, &full).await.json().await.unwrap();
        list.as_array().unwrap().len()
    };
    let pages = [count("/user/orgs").await, count("/user/orgs?page=2").await, count("/user/orgs?per_page=100").await];
    assert_eq!(pages, [30, 1, 31]);
    let teams: Value = app.get("/user/teams", &full).await.json().await.unwrap();
    assert_eq!((&teams[0]["slug"], &teams[0]["organization"]["login"]), (&json!("devs"), &json!("org-1")));

    let bare = token("user:email").await;
    assert_eq!(app.get("/user/teams", &bare).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(app.get("/user/orgs", &bare).await.json::<Value>().await.unwrap(), json!([]));
}
