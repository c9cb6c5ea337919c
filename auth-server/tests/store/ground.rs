//! A store on either back end, and things to put into it.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use auth_server::{
    oauth::{
        access_token::{Claims, TokenRecord},
        authorization::{AuthorizationRequest, PendingAuthorization},
        client::{AuthMethod, Client},
        consent::Consent,
        grant::{CodeGrant, User},
        id::{ClientId, FamilyId, Subject, TokenId},
        redirect_uri::RedirectUri,
        refresh::{RefreshGrant, RefreshState, Rotation},
        scope::Scope,
        secret::Secret,
    },
    store::{Backend, Commit, Lifetimes, Redemption, RotationCommit, Store, StoreConfig},
};
use tempfile::TempDir;

use crate::redis_server::RedisServer;

/// In 2096: what is kept for an hour after it is not over while these tests are run.
pub(crate) const NOW: u64 = 4_000_000_000;
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const LIFETIMES: Lifetimes = Lifetimes { access: HOUR, refresh: Duration::from_secs(86_400), code: HOUR };

/// For tests in which Redis does what it should, however busy the machine is.
pub(crate) const PATIENT: Duration = Duration::from_secs(30);

/// Field order is drop order: the store lets go of its files before they are removed.
pub(crate) struct Ground {
    pub(crate) store: Arc<Store>,
    pub(crate) redis: Option<RedisServer>,
    pub(crate) dir: TempDir,
}

#[expect(clippy::disallowed_methods, reason = "the store's clock")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

pub(crate) fn embedded_in(dir: &Path) -> StoreConfig {
    StoreConfig { backend: Backend::Embedded { data_dir: dir.join("data") }, clock: now }
}

pub(crate) fn on_redis(server: &RedisServer) -> StoreConfig {
    on_redis_within(server, PATIENT)
}

pub(crate) fn on_redis_within(server: &RedisServer, timeout: Duration) -> StoreConfig {
    let password = server.password.map(Secret::new);
    StoreConfig { backend: Backend::Redis { url: server.url(), password, timeout }, clock: now }
}

impl Ground {
    pub(crate) fn embedded() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { store: Arc::new(Store::open(&embedded_in(dir.path())).unwrap()), redis: None, dir }
    }

    pub(crate) fn redis() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = RedisServer::start(dir.path(), None);
        Self { store: Arc::new(Store::open(&on_redis(&server)).unwrap()), redis: Some(server), dir }
    }

    /// Everything stops and starts again.
    pub(crate) fn restart(self) -> Self {
        let Self { store, redis, dir } = self;
        drop(Arc::into_inner(store).expect("nobody else uses the store"));
        let Some(mut server) = redis else {
            return Self { store: Arc::new(Store::open(&embedded_in(dir.path())).unwrap()), redis: None, dir };
        };
        server.down();
        server.up();
        Self { store: Arc::new(Store::open(&on_redis(&server)).unwrap()), redis: Some(server), dir }
    }

    /// A client, and a code that it was given.
    pub(crate) async fn code(&self) -> (Secret, CodeGrant) {
        self.store.put_client(&client(), None).await.unwrap();
        let code = Secret::new("the code");
        self.store.put_code(&code.hash(), &approved(), HOUR).await.unwrap();
        (code, approved())
    }

    /// What a code exchange leaves: a family, an access token `first`, and a refresh token.
    pub(crate) async fn exchanged(&self) -> (FamilyId, Secret) {
        let (code, seen) = self.code().await;
        let refresh = Secret::new("refresh-0");
        let done = redeem(&self.store, &code, &seen, ("family", "first", &refresh)).await;
        assert_eq!(done, Commit::Done);
        (family("family"), refresh)
    }
}

pub(crate) fn family(text: &str) -> FamilyId {
    FamilyId::parse(text).unwrap()
}

pub(crate) fn jti(text: &str) -> TokenId {
    TokenId::parse(text).unwrap()
}

pub(crate) fn client() -> Client {
    Client {
        id: ClientId::parse("client_1").unwrap(),
        secret: Some(Secret::new("secret").hash()),
        auth_method: AuthMethod::ClientSecretBasic,
        redirect_uris: vec![RedirectUri::parse("https://app.example/cb").unwrap()],
        grant_types: vec!["authorization_code".to_owned(), "refresh_token".to_owned()],
        response_types: vec!["code".to_owned()],
        name: Some("App".to_owned()),
        scope: Scope::parse("openid profile").unwrap(),
        issued_at: NOW,
        secret_expires_at: 0,
        registration_token: Some(Secret::new("reg-token").hash()),
        metadata: serde_json::from_str(r#"{"client_uri": "https://app.example"}"#).unwrap(),
    }
}

pub(crate) fn user() -> User {
    let id = Subject::parse("583231").unwrap();
    let groups = ["acme".to_owned(), "acme/devs".to_owned()].into_iter().collect();
    User { id, username: "octocat".to_owned(), email: None, name: Some("Mona".to_owned()), groups }
}

pub(crate) fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        client_id: client().id,
        redirect_uri: client().redirect_uris[0].clone(),
        scope: client().scope,
        state: Some("xyz".to_owned()),
        code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
        resource: Vec::new(),
    }
}

pub(crate) fn pending() -> PendingAuthorization {
    PendingAuthorization { request: request(), browser: Secret::new("cookie").hash(), consent: Consent::Asked }
}

pub(crate) fn approved() -> CodeGrant {
    CodeGrant::Approved { request: request(), user: user(), issued_at: NOW }
}

pub(crate) fn token(id: &str, family: Option<FamilyId>) -> TokenRecord {
    let claims = Claims {
        iss: "https://auth.example.com".to_owned(),
        sub: user().id,
        aud: vec!["https://auth.example.com".to_owned()],
        client_id: client().id,
        scope: client().scope,
        jti: jti(id),
        iat: NOW,
        nbf: None,
        exp: NOW + 3600,
        username: "octocat".to_owned(),
        email: None,
        name: Some("Mona".to_owned()),
    };
    TokenRecord { claims, family, groups: user().groups }
}

pub(crate) fn refresh_grant(family: Option<FamilyId>) -> RefreshGrant {
    RefreshGrant {
        client_id: client().id,
        user: user(),
        scope: client().scope,
        resource: Vec::new(),
        family,
        created_at: NOW,
        state: RefreshState::Active,
    }
}

/// `issue`: family, `jti`, refresh token.
pub(crate) async fn redeem(store: &Store, code: &Secret, seen: &CodeGrant, issue: (&str, &str, &Secret)) -> Commit {
    let (id, access, refresh) = (family(issue.0), issue.1, issue.2.hash());
    let access = token(access, Some(id.clone()));
    let grant = refresh_grant(Some(id.clone()));
    let refresh = Some((&refresh, &grant));
    let redemption = Redemption { code, seen, family: &id, access: &access, refresh, lifetimes: LIFETIMES };
    store.redeem_code(redemption).await.unwrap()
}

/// Rotates what is stored under `old`; its family, if it has none, becomes `family`. `None`: `old` is not there.
pub(crate) async fn rotate(store: &Store, old: &Secret, successor: &Secret, access: &str) -> Option<Commit> {
    let stored = store.refresh(old).await.unwrap()?;
    let id = stored.grant.family.clone().unwrap_or(family("family"));
    let state = RefreshState::Rotated { at: NOW, successor: "sealed".to_owned() };
    let rotation = Rotation {
        spent: RefreshGrant { state, family: Some(id.clone()), ..stored.grant.clone() },
        successor: successor.clone(),
        grant: RefreshGrant { state: RefreshState::Active, family: Some(id.clone()), ..stored.grant.clone() },
        family: id.clone(),
    };
    if stored.grant.state != RefreshState::Active {
        return Some(Commit::Conflict);
    }
    let access = token(access, Some(id));
    let commit = RotationCommit { stored: &stored, rotation: &rotation, access: &access, lifetimes: LIFETIMES };
    Some(store.rotate_refresh(commit).await.unwrap())
}
