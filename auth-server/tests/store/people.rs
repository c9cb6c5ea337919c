//! What a person has allowed can be seen and ended, on both back ends.

use auth_server::{
    oauth::{refresh::RefreshState, secret::Secret},
    store::{Commit, Connection, LoggedOut, Revocation},
};
use deadpool_redis::redis::AsyncCommands;

use crate::{
    both::all,
    ground::{Ground, HOUR, NOW, approved, client, jti, redeem, rotate, token, user},
    on_both,
};

on_both! {
    async fn a_person_sees_what_they_allowed(ground: Ground) {
        let (id, refresh) = ground.exchanged().await;
        assert_eq!(rotate(&ground.store, &refresh, &Secret::new("next"), "second").await, Some(Commit::Done));
        let allowed = Connection {
            family: id.clone(),
            username: "octocat".to_owned(),
            person: Some(user().id),
            client_id: client().id,
            client_name: Some("App".to_owned()),
            scope: client().scope,
            resource: Vec::new(),
            created_at: NOW,
            last_issued_at: NOW,
            last_used_at: None,
            refreshable: true,
        };
        assert_eq!(ground.store.connections("octocat").await.unwrap(), [allowed]);
        assert!(ground.store.connections("octo").await.unwrap().is_empty());
        assert_eq!(ground.store.usernames().await.unwrap(), ["octocat".to_owned()].into());
        ground.store.revoke_family(&id).await.unwrap();
        assert!(ground.store.connections("octocat").await.unwrap().is_empty());
    }

    async fn a_use_is_noted_and_ends_with_the_access(ground: Ground) {
        let (id, _) = ground.exchanged().await;
        let seen = async || ground.store.connections("octocat").await.unwrap()[0].last_seen_at();
        ground.store.touch(&jti("first"), NOW + 600, 300).await.unwrap();
        ground.store.touch(&jti("first"), NOW + 700, 300).await.unwrap();
        assert_eq!(seen().await, NOW + 600, "once in 300 s is enough");
        ground.store.touch(&jti("first"), NOW + 900, 300).await.unwrap();
        assert_eq!(seen().await, NOW + 900);
        ground.store.revoke_family(&id).await.unwrap();
        ground.store.touch(&jti("first"), NOW + 9_000, 300).await.unwrap();
        ground.store.touch(&jti("unknown"), NOW, 300).await.unwrap();
        assert!(ground.store.connections("octocat").await.unwrap().is_empty());
    }

    async fn a_logout_ends_every_login_and_no_other_persons(ground: Ground) {
        let (_, refresh) = ground.exchanged().await;
        let code = Secret::new("on its way");
        ground.store.put_code(&code.hash(), &approved(), HOUR).await.unwrap();
        assert_eq!(ground.store.put_token(&token("alone", None), HOUR).await.unwrap(), Commit::Done);
        let mut other = token("other", None);
        other.claims.username = "octocat2".to_owned();
        assert_eq!(ground.store.put_token(&other, HOUR).await.unwrap(), Commit::Done);
        assert_eq!(ground.store.logout("mallory").await.unwrap(), LoggedOut::default());

        let ended = LoggedOut { families: 1, tokens: 1, refresh_tokens: 0, codes: 1 };
        assert_eq!(ground.store.logout("octocat").await.unwrap(), ended);
        for gone in ["first", "alone"] {
            assert_eq!(ground.store.revocation(&jti(gone)).await.unwrap(), Revocation::Revoked);
        }
        assert!(ground.store.refresh(&refresh).await.unwrap().is_none());
        assert_eq!(redeem(&ground.store, &code, &approved(), ("late", "late", &Secret::new("r"))).await, Commit::Conflict);
        assert!(ground.store.revocation(&jti("other")).await.unwrap().is_active());
        assert_eq!(ground.store.usernames().await.unwrap(), ["octocat2".to_owned()].into());
    }

    /// More than two pages of each.
    async fn a_long_list_is_walked_to_its_end(ground: Ground) {
        ground.store.put_client(&client(), None).await.unwrap();
        let login = |i: usize| {
            let store = ground.store.clone();
            async move {
                let (code, refresh) = (Secret::new(format!("code-{i}")), Secret::new(format!("refresh-{i}")));
                store.put_code(&code.hash(), &approved(), HOUR).await.unwrap();
                let (family, token) = (format!("family-{i}"), format!("token-{i}"));
                i % 2 == 1 || redeem(&store, &code, &approved(), (&family, &token, &refresh)).await == Commit::Done
            }
        };
        for hundred in 0..11 {
            assert!(!all((0..100).map(|i| login(100 * hundred + i))).await.contains(&false));
        }
        assert_eq!(ground.store.connections("octocat").await.unwrap().len(), 550);
        let ended = ground.store.logout("octocat").await.unwrap();
        assert_eq!(ended, LoggedOut { families: 550, tokens: 0, refresh_tokens: 0, codes: 550 });
        assert!(ground.store.connections("octocat").await.unwrap().is_empty());
    }

    async fn nothing_survives_a_logout_in_the_middle_of_rotations(ground: Ground) {
        let (id, first) = ground.exchanged().await;
        let rotations = async {
            let mut last = first;
            for i in 1.. {
                let next = Secret::new(format!("refresh-{i}"));
                match rotate(&ground.store, &last, &next, &format!("access-{i}")).await {
                    Some(Commit::Done) => last = next,
                    _ => break,
                }
            }
            last
        };
        let logout = async {
            while ground.store.revocation(&jti("access-3")).await.unwrap() == Revocation::Revoked {
                tokio::task::yield_now().await;
            }
            ground.store.logout("octocat").await.unwrap();
        };
        let (last, ()) = tokio::join!(rotations, logout);
        assert!(ground.store.refresh(&last).await.unwrap().is_none());
        assert_eq!(ground.store.put_token(&token("more", Some(id)), HOUR).await.unwrap(), Commit::Conflict);
    }
}

#[tokio::test]
async fn a_logout_ends_what_the_python_service_issued() {
    let ground = Ground::redis();
    let mut redis = ground.redis.as_ref().unwrap().client().await;
    let refresh = |name: &str| {
        format!(
            r#"{{"user_id": "1", "username": "{name}", "client_id": "client_1", "scope": "openid", "created_at": 1}}"#
        )
    };
    let _: () = redis.set_ex("oauth:refresh:theirs", refresh("octocat"), 60).await.unwrap();
    let _: () = redis.set_ex("oauth:refresh:others", refresh("hubot"), 60).await.unwrap();
    let ended = ground.store.logout("octocat").await.unwrap();
    assert_eq!(ended, LoggedOut { refresh_tokens: 1, ..LoggedOut::default() });
    assert!(ground.store.refresh(&Secret::new("theirs")).await.unwrap().is_none());
    let other = ground.store.refresh(&Secret::new("others")).await.unwrap().unwrap();
    assert_eq!(other.grant.state, RefreshState::Active);
}
