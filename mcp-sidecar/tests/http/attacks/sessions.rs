//! Session ids that are not the caller's: whatever they once were, they are answered alike.

use std::collections::BTreeSet;

use reqwest::{Method, Response};

use super::PING;
use crate::support::{Sidecar, eventually, is_alive};

/// Status, headers but the date, and body.
async fn seen(response: Response) -> (u16, BTreeSet<String>, String) {
    let status = response.status().as_u16();
    let headers = response.headers().iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    (status, headers, response.text().await.unwrap())
}

async fn presenting(sidecar: &Sidecar, method: &Method, id: &str, user: &str) -> (u16, BTreeSet<String>, String) {
    let request =
        sidecar.http.request(method.clone(), &sidecar.url).header("Accept", "application/json, text/event-stream");
    let request = request.header("Content-Type", "application/json").header("X-User-Id", user);
    let body = if method == Method::POST { PING } else { "" };
    seen(request.header("Mcp-Session-Id", id).body(body).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn guessed_foreign_expired_and_deleted_ids_are_answered_alike() {
    let sidecar = Sidecar::with(&["--timeout", "3"]).await;
    let [expired, deleted] = [(); 2].map(|()| sidecar.session_of("2025-11-25", Some("alice")));
    let (expired, deleted) = (expired.await, deleted.await);
    let pid = expired.pid().await;
    deleted.delete().await;
    eventually("the unused session has ended", || !is_alive(pid)).await;
    let bobs = sidecar.session_of("2025-11-25", Some("bob")).await;
    let _open = bobs.listen().await;
    let mut near = bobs.id.clone();
    near.replace_range(47.., if near.ends_with('0') { "1" } else { "0" });
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let unknown = presenting(&sidecar, &method, &"0".repeat(48), "alice").await;
        assert_eq!(unknown.0, 404);
        for (kind, id) in [
            ("another user's", bobs.id.as_str()),
            ("expired", &expired.id),
            ("deleted", &deleted.id),
            ("one digit off", &near),
            ("in capitals", &bobs.id.to_ascii_uppercase()),
            ("a path", "../../etc/passwd"),
            ("a query", "' OR 1=1 --"),
            ("long", &"a".repeat(8000)),
        ] {
            assert_eq!(presenting(&sidecar, &method, id, "alice").await, unknown, "{method} {kind}");
        }
    }
    let mine = presenting(&sidecar, &Method::POST, &bobs.id, "bob").await;
    assert_eq!(mine.0, 200, "its owner goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_session_ids_or_two_users_in_one_request_are_refused() {
    let sidecar = Sidecar::start().await;
    let (mine, other) =
        (sidecar.session_of("2025-11-25", Some("alice")).await, sidecar.session_of("2025-11-25", Some("bob")).await);
    let twice = mine.sign(sidecar.post(PING)).header("Mcp-Session-Id", &other.id);
    assert_eq!(twice.send().await.unwrap().status(), 400);
    let both = mine.sign(sidecar.post(PING)).header("X-User-Id", "bob");
    assert_eq!(both.send().await.unwrap().status(), 400);
    let empty = sidecar.post(PING).header("Mcp-Session-Id", &mine.id).header("X-User-Id", "");
    assert_eq!(empty.send().await.unwrap().status(), 400, "nobody is not the empty user");
}

#[tokio::test(flavor = "multi_thread")]
async fn session_ids_are_long_and_share_nothing() {
    let sidecar = Sidecar::around(&["--max-sessions", "4"], super::floods::SHELL_SERVER).await;
    let mut ids = BTreeSet::new();
    for _ in 0..20 {
        let opened = sidecar.initialize("2025-11-25", None).await;
        let id = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        assert!(id.len() == 48 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        ids.insert(id);
    }
    let starts: BTreeSet<&str> = ids.iter().map(|id| &id[..8]).collect();
    let ends: BTreeSet<&str> = ids.iter().map(|id| &id[40..]).collect();
    assert_eq!((ids.len(), starts.len(), ends.len()), (20, 20, 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_get_and_a_hundredth_hurt_nobody() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let pid = session.pid().await;
    let mut last = session.listen().await;
    for _ in 0..100 {
        last = session.listen().await;
    }
    let at_once = futures_util::future::join_all((0..20).map(|_| session.get(None))).await;
    assert!(at_once.iter().all(|response| response.status() == 200));
    drop((last, at_once));
    let mut events = session.listen().await;
    session.post(r#"{"jsonrpc":"2.0","method":"notifications/announce"}"#).await;
    assert_eq!(events.message().await.unwrap()["method"], "notifications/tools/list_changed");
    assert_eq!(session.pid().await, pid, "the same process, and alive");
}
