//! Both services at once, each behind a real Traefik, on one Redis with one key: a change-over host by host.

use gateway_tests::{
    client::Browser,
    harness::{Process, Traefik, free_port, python_service},
};

use super::{
    old_client::{OldClient, Pkce, pair},
    stage::{Seen, Stage, call},
};
use crate::support::soon;

/// Ours behind the stage's own Traefik, the Python service, which does not look at hosts, behind a second one.
pub(crate) struct Both {
    ours: Stage,
    traefik: Traefik,
    _python: Process,
}

impl Both {
    pub(crate) fn start() -> Self {
        let ours = Stage::of_ours("RS256");
        let port = free_port();
        let python = python_service(port, &ours.vars);
        let mut traefik = Traefik::plan();
        traefik.start(&ours.certificate, &format!("http://127.0.0.1:{port}"), &ours.services());
        Self { ours, traefik, _python: python }
    }

    /// Of the Python service, and of ours.
    pub(crate) fn doors(&self) -> (String, String) {
        (format!("https://auth.{}", self.traefik.base_domain()), self.ours.issuer())
    }

    pub(crate) fn browser(&self) -> Browser {
        self.ours.browser()
    }

    /// What the MCP server sees by way of the Python service, and by way of ours.
    async fn call(&self, token: &str) -> (Seen, Seen) {
        (call(&self.browser(), &self.traefik, token).await, self.ours.call(token).await)
    }
}

fn by_both() -> (Seen, Seen) {
    (Seen::octocat(), Seen::octocat())
}

fn by_neither() -> (Seen, Seen) {
    (Seen::Refused(401), Seen::Refused(401))
}

/// What Python does to the store reaches ours by a message from Redis.
async fn soon_by_neither(both: &Both, token: &str) {
    soon(by_neither(), async || both.call(token).await).await;
}

/// A client of the Python service with a login by each of the two: access and refresh token of both.
async fn logins(both: &Both) -> (OldClient, OldClient, [(String, String); 2]) {
    let (door, our_door) = both.doors();
    let at_python = OldClient::register(both.browser(), &door).await;
    let at_ours = at_python.at(&our_door);
    let code = at_python.code_of_python("octocat", Pkce::S256).await;
    let by_python = pair(at_python.redeem(&code, Pkce::S256).await);
    // A code of the Python service, redeemed at ours: that token is one of ours.
    let code = at_python.code_of_python("octocat", Pkce::S256).await;
    let by_ours = pair(at_ours.redeem(&code, Pkce::S256).await);
    (at_python, at_ours, [by_python, by_ours])
}

#[tokio::test]
async fn side_by_side_access_tokens_of_each_count_at_both_until_either_revokes_them() {
    let both = Both::start();
    let (at_python, at_ours, [(by_python, _), (by_ours, _)]) = logins(&both).await;
    assert_eq!((both.call(&by_python).await, both.call(&by_ours).await), (by_both(), by_both()));
    assert!(at_python.active(&by_ours).await && at_ours.active(&by_python).await);

    assert_eq!(at_ours.revoke(&by_python).await, 200);
    assert_eq!(both.call(&by_python).await, by_neither());
    assert_eq!(at_python.revoke(&by_ours).await, 200);
    soon_by_neither(&both, &by_ours).await;
}

#[tokio::test]
async fn side_by_side_refresh_tokens_go_from_python_to_ours_and_not_back() {
    let both = Both::start();
    let (at_python, at_ours, [(_, by_python), (_, by_ours)]) = logins(&both).await;
    assert_eq!(at_python.refresh(&by_python).await.0, 200, "the Python service does not rotate");
    let (access, successor) = pair(at_ours.refresh(&by_python).await);
    assert_eq!(both.call(&access).await, by_both());
    for taken_over in [&by_python, &successor, &by_ours] {
        assert_eq!(at_python.refresh(taken_over).await.1["error"], "invalid_grant");
    }
}

async fn delete(client: &OldClient) {
    let delete = client.browser.http.delete(client.registration_url()).bearer_auth(&client.registration_token);
    assert_eq!(delete.send().await.unwrap().status(), 204);
}

async fn is_unknown(client: &OldClient) -> bool {
    client.refresh("any").await.1["error"] == "invalid_client"
}

#[tokio::test]
async fn side_by_side_a_client_deleted_at_python_is_gone_at_both_with_its_tokens() {
    let both = Both::start();
    let (at_python, at_ours, [(by_python, _), (by_ours, _)]) = logins(&both).await;
    assert_eq!((both.call(&by_python).await, both.call(&by_ours).await), (by_both(), by_both()));
    delete(&at_python).await;
    soon_by_neither(&both, &by_python).await;
    soon_by_neither(&both, &by_ours).await;
    assert!(is_unknown(&at_python).await && is_unknown(&at_ours).await);
}

/// Ours knows a token of the Python service by its client, and leaves the record alone.
#[tokio::test]
async fn side_by_side_a_client_deleted_at_ours_is_gone_at_both_but_python_takes_its_own_tokens_of_it_to_their_end() {
    let both = Both::start();
    let (at_python, at_ours, [(by_python, _), (by_ours, _)]) = logins(&both).await;
    assert_eq!((both.call(&by_python).await, both.call(&by_ours).await), (by_both(), by_both()));
    delete(&at_ours).await;
    assert_eq!(both.call(&by_ours).await, by_neither());
    assert_eq!(both.call(&by_python).await, (Seen::octocat(), Seen::Refused(401)));
    assert!(is_unknown(&at_python).await && is_unknown(&at_ours).await);
}

#[tokio::test]
async fn side_by_side_a_client_registered_at_ours_is_known_to_python_but_its_secret_is_not() {
    let both = Both::start();
    let (door, our_door) = both.doors();
    let at_ours = OldClient::register(both.browser(), &our_door).await;
    let at_python = at_ours.at(&door);
    let refused = at_python.refresh("any").await;
    assert_eq!((refused.0, &refused.1["error"]), (401, &"invalid_client".into()));
    // The Python service checks a secret only when one is sent.
    let code = at_python.code_of_python("octocat", Pkce::S256).await;
    let without = OldClient { secret: String::new(), ..at_python };
    let (access, _) = pair(without.redeem(&code, Pkce::S256).await);
    assert_eq!(both.call(&access).await, by_both());
}
