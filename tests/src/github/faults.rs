//! What can go wrong at GitHub, switched on per endpoint until it is healed.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use actix_web::{HttpResponse, http::StatusCode, rt::time::sleep, web};
use serde::Deserialize;
use serde_json::json;

use super::records::Records;

/// Where the fault strikes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// The login page and its redirect.
    Authorize,
    /// `/login/oauth/access_token`
    Token,
    /// `/user` and what is below it.
    User,
}

/// What happens there. In `POST /_faults`: `{"at": "user", "fault": "slow"}`, with `"milliseconds"` for how slow.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// Answers late.
    Slow {
        #[serde(default = "half_a_minute")]
        milliseconds: u64,
    },
    /// 500 with an HTML body.
    ServerError,
    /// 200 with a body cut off in the middle.
    BadJson,
    /// The redirect carries another state than the one that was sent (authorize only).
    WrongState,
    /// The person refuses, whatever the form says (authorize only).
    Denied,
    /// 403 and `x-ratelimit-remaining: 0`, GitHub's primary limit.
    RateLimited,
    /// 429 and `retry-after`, its secondary limit.
    TooManyRequests,
}

fn half_a_minute() -> u64 {
    30_000
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    on: Mutex<HashMap<At, Fault>>,
}

impl Faults {
    pub(super) fn switch_on(&self, at: At, fault: Fault) {
        self.on.lock().expect("no holder panics").insert(at, fault);
    }

    pub(super) fn heal(&self) {
        self.on.lock().expect("no holder panics").clear();
    }

    pub(super) fn at(&self, at: At) -> Option<Fault> {
        self.on.lock().expect("no holder panics").get(&at).copied()
    }

    /// The answer that a fault gives in place of the endpoint's own; a slow endpoint answers itself, later.
    pub(super) async fn strike(&self, at: At) -> Option<HttpResponse> {
        match self.at(at)? {
            Fault::Slow { milliseconds } => {
                sleep(Duration::from_millis(milliseconds)).await;
                None
            }
            Fault::ServerError => {
                let page = "<html><body>Whoops! Something went wrong.</body></html>";
                Some(HttpResponse::InternalServerError().content_type("text/html").body(page))
            }
            Fault::BadJson => {
                Some(HttpResponse::Ok().content_type("application/json").body("{\"access_token\": \"gho_"))
            }
            Fault::RateLimited => Some(limited(StatusCode::FORBIDDEN, ("x-ratelimit-remaining", "0"))),
            Fault::TooManyRequests => Some(limited(StatusCode::TOO_MANY_REQUESTS, ("retry-after", "60"))),
            Fault::WrongState | Fault::Denied => None,
        }
    }
}

fn limited(status: StatusCode, header: (&str, &str)) -> HttpResponse {
    HttpResponse::build(status).insert_header(header).json(json!({
        "message": "API rate limit exceeded for user.",
        "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"
    }))
}

/// The body of `POST /_faults`.
#[derive(Debug, Deserialize)]
pub(super) struct Switch {
    at: At,
    #[serde(flatten)]
    fault: Fault,
}

pub(super) async fn post(records: web::Data<Records>, switch: web::Json<Switch>) -> HttpResponse {
    records.faults.switch_on(switch.at, switch.fault);
    HttpResponse::NoContent().finish()
}

pub(super) async fn delete(records: web::Data<Records>) -> HttpResponse {
    records.faults.heal();
    HttpResponse::NoContent().finish()
}
