//! GitHub is slow, broken, limits us or says no; someone else's browser brings an answer. Nobody gets in, everybody is told.

use std::time::{Duration, Instant};

use gateway_tests::{
    client::{Arrival, Browser, Client, Login, Page},
    github::{At, Fault},
    harness::{Gateway, Headers, Setup, StoreKind},
};
use reqwest::StatusCode;
use url::Url;

struct Line {
    gateway: Gateway,
    client: Client,
    _server: Headers,
}

impl Line {
    async fn start() -> Self {
        let server = Headers::start();
        let setup =
            Setup::new(StoreKind::Embedded).upstream("one", server.url()).var("ALLOWED_GITHUB_USERS", "octocat,mona");
        let gateway = setup.start();
        let client = Client::register(gateway.browser(), &gateway.issuer(), "A plain client").await;
        Self { gateway, client, _server: server }
    }

    fn authorize_url(&self) -> Url {
        self.client.authorize_url(&Login { user: "octocat", resource: &self.gateway.mcp("one"), scope: "openid" })
    }

    async fn log_in(&self, user: &str) -> Arrival {
        self.client.browser.log_in(&self.authorize_url(), user).await
    }

    /// The error that came back to the client; no code came with it.
    async fn refused(&self, user: &str) -> String {
        let back = self.log_in(user).await.client();
        let answer = |name: &str| back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        assert_eq!(answer("code"), None, "{back}");
        assert_eq!(answer("state").as_deref(), Some("the-clients-state"), "{back}");
        assert_eq!(answer("iss"), Some(self.gateway.issuer()), "{back}");
        answer("error").unwrap_or_else(|| panic!("no error: {back}"))
    }

    /// GitHub's login page, as `browser` gets there.
    async fn at_github(&self, browser: &Browser) -> Page {
        let consent = browser.open(&self.authorize_url()).await.page();
        browser.submit(&consent, &[("decision", "approve")]).await.page()
    }
}

#[tokio::test]
async fn a_github_that_fails_in_any_way_is_a_server_error_and_the_next_login_works() {
    let line = Line::start().await;
    for (at, fault) in [
        (At::Token, Fault::ServerError),
        (At::Token, Fault::BadJson),
        (At::Token, Fault::TooManyRequests),
        (At::User, Fault::ServerError),
        (At::User, Fault::BadJson),
        (At::User, Fault::RateLimited),
        (At::User, Fault::TooManyRequests),
    ] {
        line.gateway.github.switch_on(at, fault);
        let error = line.refused("octocat").await;
        assert!(["server_error", "temporarily_unavailable"].contains(&error.as_str()), "{at:?} {fault:?}: {error}");
        line.gateway.github.heal();
    }
    assert!(line.log_in("octocat").await.client().query().unwrap().contains("code="));
}

#[tokio::test]
async fn a_slow_github_is_waited_for_a_moment_and_given_up_on_after_it() {
    let line = Line::start().await;
    line.gateway.github.switch_on(At::User, Fault::Slow { milliseconds: 1_000 });
    assert!(line.log_in("octocat").await.client().query().unwrap().contains("code="));
    line.gateway.github.switch_on(At::User, Fault::Slow { milliseconds: 60_000 });
    let started = Instant::now();
    let error = line.refused("octocat").await;
    assert!(["server_error", "temporarily_unavailable"].contains(&error.as_str()), "{error}");
    assert!(started.elapsed() < Duration::from_secs(25), "{:?}", started.elapsed());
}

#[tokio::test]
async fn someone_who_refuses_at_github_is_denied() {
    let line = Line::start().await;
    line.gateway.github.switch_on(At::Authorize, Fault::Denied);
    assert_eq!(line.refused("octocat").await, "access_denied");
}

#[tokio::test]
async fn someone_who_is_not_on_the_list_is_denied() {
    let line = Line::start().await;
    assert_eq!(line.refused("mallory").await, "access_denied");
    assert_eq!(line.refused("octocat-2").await, "access_denied");
    assert!(line.log_in("Mona").await.client().query().unwrap().contains("code="), "logins have no case at GitHub");
}

#[tokio::test]
async fn an_answer_with_a_state_that_was_never_sent_shows_a_page_and_goes_nowhere() {
    let line = Line::start().await;
    line.gateway.github.switch_on(At::Authorize, Fault::WrongState);
    let page = line.log_in("octocat").await.page();
    assert_eq!(page.url.host_str(), Some("auth.localhost"));
    assert!(!page.html.contains("not-the-state-that-was-sent"));
}

/// The login ended on a page, not at the client.
fn assert_refused(page: &Page) {
    assert!(page.status.is_client_error() || page.url.path() == "/error", "{} {}", page.status, page.url);
}

#[tokio::test]
async fn a_login_begun_in_one_browser_cannot_be_finished_in_another() {
    let line = Line::start().await;
    let attackers = line.client.browser.clone();
    let page = line.at_github(&attackers).await;
    // Login CSRF: the attacker stops before the callback and lets the victim's browser make the last step.
    let victims = line.gateway.browser();
    let last_step = victims.submit(&page, &[("login", "octocat"), ("decision", "approve")]).await.page();
    assert_refused(&last_step);
    // Not even when that browser has a cookie of its own.
    line.at_github(&victims).await;
    let last_step = victims.submit(&page, &[("login", "octocat"), ("decision", "approve")]).await.page();
    assert_refused(&last_step);
    // And the attempt has not used up what the first browser began.
    let back = attackers.submit(&page, &[("login", "octocat"), ("decision", "approve")]).await.client();
    assert!(back.query().unwrap().contains("code="));
}

#[tokio::test]
async fn a_callback_without_a_consent_before_it_shows_a_page() {
    let line = Line::start().await;
    let callback = Url::parse(&format!("{}/callback?code=x&state=y", line.gateway.issuer())).unwrap();
    let page = line.client.browser.open(&callback).await.page();
    assert!(page.status == StatusCode::BAD_REQUEST || page.url.path() == "/error", "{} {}", page.status, page.url);
}
