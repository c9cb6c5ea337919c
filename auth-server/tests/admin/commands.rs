//! Clients, tokens, users, statistics, purging.

use auth_server::{
    oauth::{
        account::Session,
        client::AuthMethod,
        id::{ClientId, Subject},
        secret::Secret,
    },
    store::{Commit, Revocation},
};
use serde_json::json;

use crate::{
    ground::{HOUR, jti, token},
    place::Place,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_can_be_seen_and_no_secret_is_in_it() {
    for place in Place::both().await {
        let lists = [["clients", "list"], ["tokens", "list"], ["users", "list"]];
        let [clients, tokens, users] = lists.map(|list| place.says(&list));
        assert!(clients.contains("client_1") && clients.contains("https://app.example/cb"), "{clients}");
        assert!(tokens.contains("first") && tokens.contains("octocat"), "{tokens}");
        assert!(users.contains("octocat") && users.contains("App"), "{users}");
        let shown = place.says(&["clients", "show", "client_1"]);
        assert!(shown.contains("allowed in by octocat"), "{shown}");
        let as_json = lists.map(|[noun, verb]| place.says(&[noun, verb, "--json"]));
        let detail = place.says(&["clients", "show", "client_1", "--json"]);
        for text in as_json.iter().chain([&clients, &tokens, &users, &shown, &detail]) {
            for secret in ["refresh-0", "reg-token", "secret"].map(Secret::new) {
                assert!(!text.contains(secret.hash().as_str()), "{text}");
            }
            assert!(!text.contains("reg-token") && !text.contains("refresh-0"), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_narrowed_to_a_person_or_a_client() {
    for place in Place::both().await {
        assert_eq!(place.json(&["tokens", "list", "--user", "OctoCat", "--json"])[0]["jti"], "first");
        assert_eq!(place.json(&["tokens", "list", "--user", "hubot", "--json"]), json!([]));
        assert_eq!(place.json(&["tokens", "list", "--client", "client_1", "--json"])[0]["jti"], "first");
        assert_eq!(place.json(&["tokens", "list", "--client", "client_2", "--json"]), json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_created_client_is_stored_and_its_secret_is_told_once() {
    for place in Place::both().await {
        let asked =
            ["clients", "create", "--name", "Nightly", "--grant-type", "client_credentials", "--scope", "mcp:time"];
        let told = place.json(&[&asked[..], &["--json"]].concat());
        let (id, secret) = (told["client_id"].as_str().unwrap(), told["client_secret"].as_str().unwrap());
        let stored = place.store().client(&ClientId::parse(id).unwrap()).await.unwrap().unwrap();
        assert!(stored.secret.as_ref().unwrap().matches(&Secret::new(secret)));
        assert_eq!(stored.auth_method, AuthMethod::ClientSecretBasic);
        assert!(stored.may_use("client_credentials") && stored.scope.contains("mcp:time"));
        assert!(!place.says(&["clients", "show", id, "--json"]).contains(secret));
        assert!(place.says(&["clients", "list"]).contains("never"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_could_not_work_is_not_created() {
    let [place, _] = Place::both().await;
    let create = |more: &[&str]| place.run(&[&["clients", "create", "--name", "x"], more].concat());
    for (wrong, word) in [
        (&[][..], "--redirect-uri"),
        (&["--redirect-uri", "http://app.example/cb"], "--redirect-uri"),
        (&["--grant-type", "client_credentials", "--auth-method", "none"], "prove"),
        (&["--grant-type", "client_credentials", "--auth-method", "magic"], "magic"),
        (&["--grant-type", "password"], "password"),
        (&["--redirect-uri", "https://app.example/cb", "--scope", "a\"b"], "--scope"),
    ] {
        let refused = create(wrong);
        assert!(refused.code == 64 && refused.err.contains(word), "{wrong:?}: {refused:?}");
    }
    assert_eq!(place.json(&["clients", "list", "--json"]).as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_client_and_a_revoked_token_are_gone() {
    for place in Place::both().await {
        place.says(&["tokens", "revoke", "first"]);
        assert_eq!(place.store().revocation(&jti("first")).await.unwrap(), Revocation::Revoked);
        assert!(place.store().refresh(&Secret::new("refresh-0")).await.unwrap().is_some());
        place.says(&["clients", "delete", "client_1"]);
        assert!(place.store().refresh(&Secret::new("refresh-0")).await.unwrap().is_none());
        for gone in [["tokens", "revoke", "first"], ["clients", "delete", "client_1"], ["clients", "show", "client_1"]]
        {
            let done = place.run(&gone);
            assert!(done.code == 1 && done.err.contains("there is no"), "{done:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_logged_out_in_any_spelling() {
    for place in Place::both().await {
        assert_eq!(place.run(&["users", "logout", "hubot"]).code, 1);
        let at_their_page = Secret::new("cookie");
        let session = Session { person: Subject::parse("583231").unwrap(), username: "octocat".to_owned() };
        place.store().put_session(&at_their_page, &session).await.unwrap();
        place.says(&["users", "logout", "OctoCat"]);
        assert_eq!(place.store().session(&at_their_page).await.unwrap(), None);
        assert_eq!(place.store().revocation(&jti("first")).await.unwrap(), Revocation::Revoked);
        assert_eq!(place.json(&["users", "list", "--json"]), json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_everything_asks_first() {
    for place in Place::both().await {
        for all in [["tokens", "revoke", "--all"], ["clients", "delete", "--all"]] {
            let refused = place.run(&all);
            assert!(refused.code == 64 && refused.err.contains("--yes"), "{refused:?}");
        }
        assert_eq!(place.json(&["stats", "--json"])["access_tokens"], 1);
        place.says(&["tokens", "revoke", "--all", "--yes"]);
        let stats = place.json(&["stats", "--json"]);
        assert_eq!((&stats["clients"], &stats["access_tokens"], &stats["users"]), (&json!(1), &json!(0), &json!(0)));
        place.says(&["clients", "delete", "--all", "--yes"]);
        assert_eq!(place.json(&["clients", "list", "--json"]), json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn purging_takes_what_is_useless_and_nothing_else() {
    for place in Place::both().await {
        let nothing = place.json(&["purge", "--json"]);
        assert_eq!(nothing["connections"], 0);
        {
            // What the first login's token says of itself ends in 2027; this one's has ended.
            let store = place.store();
            let mut expired = token("expired", None);
            expired.claims.exp = 1;
            assert_eq!(store.put_token(&expired, HOUR).await.unwrap(), Commit::Done);
        }
        let counted = place.json(&["purge", "--dry-run", "--json"]);
        assert_eq!((&counted["access_tokens"], &counted["connections"]), (&json!(1), &json!(0)));
        assert_eq!(place.json(&["stats", "--json"])["access_tokens"], 2);
        place.says(&["purge"]);
        assert_eq!(place.json(&["stats", "--json"])["access_tokens"], 1);
        assert!(place.store().revocation(&jti("first")).await.unwrap().is_active());
        let again = place.json(&["purge", "--json"]);
        assert!(again.as_object().unwrap().values().all(|count| *count == json!(0)), "{again}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_and_wrong_configuration_are_64_and_a_store_that_is_away_is_1() {
    let [embedded, mut redis] = Place::both().await;
    for wrong in [&["clients"][..], &["tokens", "revoke"], &["frobnicate"], &["clients", "show", "a b"]] {
        assert_eq!(embedded.run(wrong).code, 64, "{wrong:?}");
    }
    let bad = embedded.command().env("REDIS_URL", "http://x").arg("stats").output().unwrap();
    assert_eq!(bad.status.code(), Some(64));
    redis.redis.as_mut().unwrap().down();
    let away = redis.run(&["stats"]);
    assert!(away.code == 1 && away.err.contains("unavailable"), "{away:?}");
    assert_eq!(embedded.run(&["clients", "--help"]).code, 0);
    assert!(embedded.path().join("data").is_dir());
}
