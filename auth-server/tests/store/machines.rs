//! Clients that act for themselves, and the assertions of those that sign, on both back ends alike.

use auth_server::{
    oauth::secret::Secret,
    store::{Commit, Store},
};

use crate::{
    both::all,
    ground::{Ground, HOUR, client, family, jti, token},
    on_both,
};

async fn is_active(store: &Store, id: &str) -> bool {
    store.revocation(&jti(id)).await.unwrap().is_active()
}

on_both! {
    async fn of_fifty_who_use_one_assertion_one_is_first(ground: Ground) {
        let id = Secret::new("assertion").hash();
        let uses = all((0..50).map(|_| {
            let (store, id) = (ground.store.clone(), id.clone());
            async move { store.use_assertion(&id, HOUR).await.unwrap() }
        }));
        assert_eq!(uses.await.into_iter().filter(|commit| *commit == Commit::Done).count(), 1);
        let ground = ground.restart();
        assert_eq!(ground.store.use_assertion(&id, HOUR).await.unwrap(), Commit::Conflict);
        let other = Secret::new("another").hash();
        assert_eq!(ground.store.use_assertion(&other, HOUR).await.unwrap(), Commit::Done);
    }

    async fn what_a_machine_got_ends_with_it(ground: Ground) {
        let store = &ground.store;
        let own = token("own", Some(family("machine")));
        assert_eq!(store.found_family(&own, HOUR).await.unwrap(), Commit::Conflict, "an unknown client gets nothing");
        store.put_client(&client(), None).await.unwrap();
        assert_eq!(store.found_family(&own, HOUR).await.unwrap(), Commit::Done);
        assert!(is_active(store, "own").await);
        assert_eq!(store.connections_of(&client().id).await.unwrap().len(), 1);
        store.delete_client(&client().id).await.unwrap();
        assert!(!is_active(store, "own").await);
    }
}
