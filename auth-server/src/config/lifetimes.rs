//! How long things live.

use std::time::Duration;

use super::vars::Vars;

/// How long things live.
#[derive(Clone, Debug)]
pub struct Lifetimes {
    /// `ACCESS_TOKEN_LIFETIME`, seconds.
    pub access_token: Duration,
    /// `REFRESH_TOKEN_LIFETIME`, seconds.
    pub refresh_token: Duration,
    /// `AUTHORIZATION_CODE_LIFETIME`, seconds.
    pub code: Duration,
    /// `CLIENT_LIFETIME`, seconds; 0 in the environment is `None`: never expires.
    pub client: Option<Duration>,
    /// From `/authorize` to GitHub's answer: 300 s, as the Python service has it.
    pub pending: Duration,
}

impl Lifetimes {
    pub(super) fn read(vars: &mut Vars) -> Self {
        let client = vars.seconds("CLIENT_LIFETIME", 7_776_000);
        Self {
            access_token: positive(vars, "ACCESS_TOKEN_LIFETIME", 86_400),
            refresh_token: positive(vars, "REFRESH_TOKEN_LIFETIME", 2_592_000),
            code: positive(vars, "AUTHORIZATION_CODE_LIFETIME", 600),
            client: (!client.is_zero()).then_some(client),
            pending: Duration::from_secs(300),
        }
    }
}

fn positive(vars: &mut Vars, name: &str, default: u64) -> Duration {
    let seconds = vars.seconds(name, default);
    if seconds.is_zero() {
        vars.fault(name, "is 0: nothing could ever be used");
    }
    seconds
}
