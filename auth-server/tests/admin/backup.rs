//! Backup and restore.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use auth_server::{
    oauth::secret::Secret,
    store::{Commit, Revocation},
};
use serde_json::{Value, json};

use crate::{
    ground::{HOUR, client, jti, pending, rotate, token},
    place::Place,
};

async fn works(place: &Place) {
    let store = place.store();
    assert!(matches!(store.revocation(&jti("first")).await.unwrap(), Revocation::Active(_)));
    assert_eq!(store.client(&client().id).await.unwrap(), Some(client()));
    assert_eq!(store.connections("octocat").await.unwrap().len(), 1);
    let rotated = rotate(&store, &Secret::new("refresh-0"), &Secret::new("refresh-1"), "second").await;
    assert_eq!(rotated, Some(Commit::Done));
    store.logout("octocat").await.unwrap();
    assert_eq!(store.revocation(&jti("second")).await.unwrap(), Revocation::Revoked, "its list was restored too");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_comes_back_on_either_store() {
    for (from, to) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let places = Place::both().await;
        let file = places[from].path().join("b").to_string_lossy().into_owned();
        places[from].says(&["backup", &file]);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let before = places[from].json(&["stats", "--json"]);
        places[to].store().put_token(&token("later", None), HOUR).await.map(drop).unwrap();
        places[to].says(&["restore", &file, "--clear", "--yes"]);
        assert_eq!(places[to].json(&["stats", "--json"]), before, "from {from} to {to}");
        works(&places[to]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_changes_nothing() {
    for place in Place::both().await {
        let whole = place.says(&["backup", "-"]);
        let file = place.path().join("damaged");
        for (damaged, word) in [
            (&whole[..whole.len() / 2], "cut off"),
            (&whole[..whole.len() - 1], "cut off"),
            (&whole.replace("octocat", "mallory"), "checksum"),
            ("{}\n", "not a backup"),
            ("", "not a backup"),
        ] {
            fs::write(&file, damaged).unwrap();
            let refused = place.run(&["restore", file.to_str().unwrap(), "--clear", "--yes"]);
            assert!(refused.code == 1 && refused.err.contains(word), "{refused:?}");
        }
        assert_eq!(place.run(&["restore", "/nowhere"]).code, 1);
        works(&place).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_and_clearing_asks_first() {
    for place in Place::both().await {
        let file = place.path().join("b").to_string_lossy().into_owned();
        place.says(&["backup", &file]);
        place.says(&["clients", "delete", "client_1"]);
        let before = place.json(&["stats", "--json"]);
        let counted = place.says(&["restore", &file, "--dry-run"]);
        assert!(counted.contains("would be written"), "{counted}");
        let refused = place.run(&["restore", &file, "--clear"]);
        assert!(refused.code == 64 && refused.err.contains("--yes"), "{refused:?}");
        assert_eq!(place.json(&["stats", "--json"]), before);
    }
}

/// A backup with a login that ends soon, but not before it was saved, however slow this machine is; its line there.
async fn saved_with_something_brief(place: &Place, file: &str) -> String {
    let mut lifetime = Duration::from_millis(1500);
    loop {
        assert!(lifetime < Duration::from_secs(120), "a backup has no login in flight");
        place.store().put_pending(&Secret::new("soon gone").hash(), &pending(), lifetime).await.unwrap();
        place.says(&["backup", file]);
        let text = fs::read_to_string(file).unwrap();
        if let Some(line) = text.lines().find(|line| line.contains("oauth:state:")) {
            return line.to_owned();
        }
        fs::remove_file(file).unwrap();
        lifetime *= 2;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_stays_as_it_is_and_what_has_expired_stays_away() {
    for place in Place::both().await {
        let file = place.path().join("b").to_string_lossy().into_owned();
        let state = saved_with_something_brief(&place, &file).await;
        let mut newer = client();
        newer.name = Some("Newer".to_owned());
        place.store().put_client(&newer, None).await.unwrap();
        let ends: Value = serde_json::from_str(&state).unwrap();
        let ends = ends["record"]["expires_at"].as_u64().unwrap();
        let now =
            || u64::try_from(crate::ground::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()).unwrap();
        while now() <= ends {
            tokio::task::yield_now().await;
        }
        let told = place.says(&["restore", &file]);
        assert!(told.contains("1 have expired") && told.contains("stay as they are"), "{told}");
        assert_eq!(place.json(&["clients", "list", "--json"])[0]["client_name"], json!("Newer"));
        assert_eq!(place.store().connections("octocat").await.unwrap()[0].client_name, newer.name);
    }
}
