//! What the store promises, on both back ends alike.

use std::time::Duration;

use auth_server::{
    oauth::{
        authorization::AuthorizationRequest,
        grant::{CodeGrant, User},
        id::{ClientId, Subject},
        refresh::RefreshState,
        secret::Secret,
    },
    store::{Commit, Store},
};

use crate::{
    both::all,
    ground::{
        Ground, HOUR, LIFETIMES, NOW, PATIENT, approved, client, family, jti, pending, redeem, refresh_grant, request,
        rotate, token, user,
    },
    on_both,
};

fn client_id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

async fn is_active(store: &Store, id: &str) -> bool {
    store.revocation(&jti(id)).await.unwrap().is_active()
}

on_both! {
    async fn what_is_put_comes_back_as_it_was(ground: Ground) {
        let store = &ground.store;
        store.put_client(&client(), Some(HOUR)).await.unwrap();
        assert_eq!(store.client(&client().id).await.unwrap(), Some(client()));
        let state = Secret::new("state").hash();
        store.put_pending(&state, &pending(), HOUR).await.unwrap();
        assert_eq!(store.pending(&state).await.unwrap(), Some(pending()));
        let code = Secret::new("code");
        store.put_code(&code.hash(), &approved(), HOUR).await.unwrap();
        assert_eq!(store.code(&code).await.unwrap(), Some(approved()));
        let lone = token("lone", None);
        assert_eq!(store.put_token(&lone, HOUR).await.unwrap(), Commit::Done);
        assert_eq!(store.token(&jti("lone")).await.unwrap(), Some(lone));
        store.ping().await.unwrap();
    }

    async fn consents_given_at_once_are_all_remembered_until_they_are_forgotten(ground: Ground) {
        let asked = |i: usize| AuthorizationRequest { client_id: client_id(&format!("client_{i}")), ..request() };
        let browser = Secret::new("browser");
        let given = all((0..8).map(|i| {
            let (store, browser) = (ground.store.clone(), browser.clone());
            async move { store.remember_consent(&user(), &asked(i), &browser, NOW).await }
        }));
        assert!(given.await.into_iter().all(|outcome| outcome.is_ok()));
        let covered = async |i| {
            let memory = ground.store.consent_memory("octocat").await.unwrap();
            memory.is_some_and(|memory| memory.covers(&asked(i), &browser, NOW))
        };
        for i in 0..8 {
            assert!(covered(i).await, "{i}");
        }
        ground.store.forget_consent("octocat", Some(&client_id("client_3"))).await.unwrap();
        assert!(!covered(3).await && covered(4).await);
        ground.store.forget_consent("octocat", None).await.unwrap();
        assert_eq!(ground.store.consent_memory("octocat").await.unwrap(), None);
        // A login with a new owner starts anew.
        let heir = User { id: Subject::parse("2").unwrap(), ..user() };
        ground.store.remember_consent(&user(), &asked(1), &browser, NOW).await.unwrap();
        ground.store.remember_consent(&heir, &asked(2), &browser, NOW).await.unwrap();
        assert!(!covered(1).await && covered(2).await);
    }

    async fn a_login_is_taken_by_one_of_many(ground: Ground) {
        let state = Secret::new("state").hash();
        ground.store.put_pending(&state, &pending(), HOUR).await.unwrap();
        let attempt = |_| {
            let (store, state) = (ground.store.clone(), state.clone());
            async move { store.take_pending(&state).await }
        };
        let taken = all((0..50).map(attempt)).await;
        assert_eq!(taken.into_iter().filter(|taken| taken.as_ref().unwrap().is_some()).count(), 1);
    }

    async fn of_fifty_redemptions_of_a_code_one_succeeds(ground: Ground) {
        let (code, seen) = ground.code().await;
        let attempt = |i: usize| {
            let (store, code, seen) = (ground.store.clone(), code.clone(), seen.clone());
            async move {
                let (family, access, refresh) = (format!("family-{i}"), format!("access-{i}"), Secret::new(format!("refresh-{i}")));
                let done = redeem(&store, &code, &seen, (&family, &access, &refresh)).await == Commit::Done;
                (family, access, refresh, done)
            }
        };
        let mut winner = None;
        for (id, access, refresh, done) in all((0..50).map(attempt)).await {
            assert_eq!(is_active(&ground.store, &access).await, done);
            assert_eq!(ground.store.refresh(&refresh).await.unwrap().is_some(), done);
            if done {
                assert!(winner.replace(family(&id)).is_none(), "two redemptions succeeded");
            }
        }
        let spent = ground.store.code(&code).await.unwrap();
        assert_eq!(spent, Some(CodeGrant::Exchanged { family: winner.expect("one redemption succeeds") }));
    }

    async fn a_spent_code_is_not_redeemed_again(ground: Ground) {
        ground.exchanged().await;
        let code = Secret::new("the code");
        let seen = ground.store.code(&code).await.unwrap().unwrap();
        for seen in [seen, approved()] {
            let again = redeem(&ground.store, &code, &seen, ("other", "other", &Secret::new("other"))).await;
            assert_eq!(again, Commit::Conflict);
        }
        assert!(!is_active(&ground.store, "other").await);
    }

    async fn of_fifty_rotations_of_a_refresh_token_one_succeeds(ground: Ground) {
        let (_, old) = ground.exchanged().await;
        let attempts = (0..50).map(|i| {
            let (store, old) = (ground.store.clone(), old.clone());
            async move {
                let successor = Secret::new(format!("successor-{i}"));
                (rotate(&store, &old, &successor, &format!("access-{i}")).await, successor, format!("access-{i}"))
            }
        });
        let mut winners = 0;
        for (commit, successor, access) in all(attempts).await {
            let done = commit == Some(Commit::Done);
            winners += usize::from(done);
            assert_eq!(is_active(&ground.store, &access).await, done);
            assert_eq!(ground.store.refresh(&successor).await.unwrap().is_some(), done);
        }
        assert_eq!(winners, 1);
        let spent = ground.store.refresh(&old).await.unwrap().expect("the old token is remembered");
        assert!(matches!(spent.grant.state, RefreshState::Rotated { .. }));
    }

    async fn a_retry_adds_a_token_to_the_family_and_does_not_stop_a_rotation(ground: Ground) {
        let (id, old) = ground.exchanged().await;
        let seen = ground.store.refresh(&old).await.unwrap().unwrap();
        let retry = token("retry", Some(id.clone()));
        assert_eq!(ground.store.put_token(&retry, HOUR).await.unwrap(), Commit::Done);
        let successor = Secret::new("successor");
        assert_eq!(rotate(&ground.store, &old, &successor, "second").await, Some(Commit::Done));
        assert_eq!(seen.grant, refresh_grant(Some(id.clone())));
        ground.store.revoke_family(&id).await.unwrap();
        for access in ["first", "retry", "second"] {
            assert!(!is_active(&ground.store, access).await, "{access} survived its family");
        }
        assert_eq!(ground.store.put_token(&retry, HOUR).await.unwrap(), Commit::Conflict);
    }

    async fn nothing_of_a_family_survives_its_revocation_in_the_middle_of_rotations(ground: Ground) {
        let (id, first) = ground.exchanged().await;
        let rotations = {
            let store = ground.store.clone();
            async move {
                let mut last = (first, 0);
                loop {
                    let next = Secret::new(format!("refresh-{}", last.1 + 1));
                    match rotate(&store, &last.0, &next, &format!("access-{}", last.1 + 1)).await {
                        Some(Commit::Done) => last = (next, last.1 + 1),
                        _ => return last,
                    }
                }
            }
        };
        let revocation = async {
            while !is_active(&ground.store, "access-5").await {
                tokio::task::yield_now().await;
            }
            ground.store.revoke_family(&id).await.unwrap();
        };
        let ((last, count), ()) = tokio::join!(rotations, revocation);
        assert!(count >= 5);
        assert!(ground.store.refresh(&last).await.unwrap().is_none());
        for i in 1..=count + 1 {
            assert!(!is_active(&ground.store, &format!("access-{i}")).await, "access-{i} survived");
        }
    }

    async fn a_family_holds_a_bounded_number_of_tokens(ground: Ground) {
        let (id, _) = ground.exchanged().await;
        for i in 0..40 {
            assert_eq!(ground.store.put_token(&token(&format!("t{i}"), Some(id.clone())), HOUR).await.unwrap(), Commit::Done);
        }
        assert!(!is_active(&ground.store, "first").await && !is_active(&ground.store, "t7").await);
        assert!(is_active(&ground.store, "t8").await && is_active(&ground.store, "t39").await);
    }

    async fn a_deleted_client_takes_its_tokens_along_and_gets_no_more(ground: Ground) {
        let (_, refresh) = ground.exchanged().await;
        let code = Secret::new("another code");
        ground.store.put_code(&code.hash(), &approved(), HOUR).await.unwrap();
        ground.store.delete_client(&client().id).await.unwrap();
        assert_eq!(ground.store.client(&client().id).await.unwrap(), None);
        assert!(!is_active(&ground.store, "first").await);
        assert!(ground.store.refresh(&refresh).await.unwrap().is_none());
        let late = redeem(&ground.store, &code, &approved(), ("late", "late", &Secret::new("late"))).await;
        assert_eq!(late, Commit::Conflict);
        assert_eq!(ground.store.replace_client(&client()).await.unwrap(), Commit::Conflict);
    }

    async fn a_revoked_token_is_gone_and_the_others_stay(ground: Ground) {
        let (id, refresh) = ground.exchanged().await;
        assert_eq!(ground.store.put_token(&token("second", Some(id)), HOUR).await.unwrap(), Commit::Done);
        ground.store.revoke_token(&jti("first")).await.unwrap();
        assert!(!is_active(&ground.store, "first").await && is_active(&ground.store, "second").await);
        let stored = ground.store.refresh(&refresh).await.unwrap().unwrap();
        ground.store.revoke_refresh(&stored).await.unwrap();
        assert!(!is_active(&ground.store, "second").await);
    }

    async fn entries_end_with_their_lifetime(ground: Ground) {
        let state = Secret::new("state").hash();
        ground.store.put_pending(&state, &pending(), Duration::from_millis(30)).await.unwrap();
        ground.store.put_client(&client(), None).await.unwrap();
        let gone = async { while ground.store.pending(&state).await.unwrap().is_some() { tokio::task::yield_now().await; } };
        tokio::time::timeout(PATIENT, gone).await.expect("it expires");
        assert_eq!(ground.store.take_pending(&state).await.unwrap(), None);
        assert!(ground.store.client(&client().id).await.unwrap().is_some());
    }

    async fn a_restart_loses_nothing(ground: Ground) {
        let (id, refresh) = ground.exchanged().await;
        let ground = ground.restart();
        assert!(is_active(&ground.store, "first").await);
        assert_eq!(ground.store.client(&client().id).await.unwrap(), Some(client()));
        assert_eq!(rotate(&ground.store, &refresh, &Secret::new("next"), "second").await, Some(Commit::Done));
        ground.store.revoke_family(&id).await.unwrap();
        assert!(!is_active(&ground.restart().store, "second").await);
    }

    async fn a_hash_from_a_leaked_dump_opens_nothing(ground: Ground) {
        let (_, refresh) = ground.exchanged().await;
        let leaked = |secret: &Secret| Secret::new(secret.hash().as_str());
        assert!(ground.store.refresh(&leaked(&refresh)).await.unwrap().is_none());
        assert!(ground.store.code(&leaked(&Secret::new("the code"))).await.unwrap().is_none());
        let code = Secret::new("unspent");
        ground.store.put_code(&code.hash(), &approved(), LIFETIMES.code).await.unwrap();
        assert!(ground.store.code(&leaked(&code)).await.unwrap().is_none());
        assert!(ground.store.code(&code).await.unwrap().is_some());
    }
}
