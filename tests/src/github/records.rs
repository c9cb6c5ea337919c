//! What the stand-in remembers: codes that were given, tokens that are good.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use super::{OAuthApp, faults::Faults, people::People, people::Person};

/// GitHub's codes expire after ten minutes.
const CODE_LIFETIME: Duration = Duration::from_secs(600);

/// Everything behind the handlers.
#[derive(Debug)]
pub struct Records {
    pub(super) app: OAuthApp,
    pub(super) faults: Faults,
    pub(super) people: People,
    codes: Mutex<HashMap<String, Grant>>,
    tokens: Mutex<HashMap<String, Token>>,
}

/// What a code stands for.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) person: Person,
    pub(super) redirect_uri: String,
    pub(super) scope: String,
    pub(super) code_challenge: Option<String>,
    pub(super) given: Instant,
}

/// Who signed in, and what they allowed.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) person: Person,
    scope: String,
}

impl Token {
    pub(super) fn may(&self, scope: &str) -> bool {
        self.scope.split([' ', ',']).any(|granted| granted == scope)
    }
}

impl Records {
    pub fn new(app: OAuthApp) -> Self {
        let (faults, people) = (Faults::default(), People::default());
        Self { app, faults, people, codes: Mutex::default(), tokens: Mutex::default() }
    }

    pub(super) fn give_code(&self, grant: Grant) -> String {
        let code = random(10);
        self.codes.lock().expect("no holder panics").insert(code.clone(), grant);
        code
    }

    /// The code is gone afterwards, whatever comes of it.
    pub(super) fn take_code(&self, code: &str) -> Option<Grant> {
        let grant = self.codes.lock().expect("no holder panics").remove(code)?;
        (grant.given.elapsed() < CODE_LIFETIME).then_some(grant)
    }

    pub(super) fn give_token(&self, person: Person, scope: &str) -> String {
        let token = format!("gho_{}", random(18));
        let granted = Token { person, scope: scope.to_owned() };
        self.tokens.lock().expect("no holder panics").insert(token.clone(), granted);
        token
    }

    pub(super) fn token(&self, token: &str) -> Option<Token> {
        self.tokens.lock().expect("no holder panics").get(token).cloned()
    }
}

/// Hexadecimal, as GitHub's are.
fn random(bytes: usize) -> String {
    let mut buffer = vec![0_u8; bytes];
    getrandom::fill(&mut buffer).expect("the operating system gives random bytes");
    buffer.iter().map(|byte| format!("{byte:02x}")).collect()
}
