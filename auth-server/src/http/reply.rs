//! Replies that several endpoints share.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use serde::Serialize;

/// How a browser is sent on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hop {
    /// From a GET: 307, as the Python service sends.
    FromGet,
    /// From a form: 303, so that the form's fields are not sent on (RFC 9700 §4.12).
    FromPost,
}

/// A redirect carries codes and states in its URL: no cache, no referrer.
pub(super) fn redirect(hop: Hop, location: &str) -> HttpResponse {
    let status = match hop {
        Hop::FromGet => StatusCode::TEMPORARY_REDIRECT,
        Hop::FromPost => StatusCode::SEE_OTHER,
    };
    HttpResponse::build(status)
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .finish()
}

/// JSON that holds secrets, or tells of them (RFC 6749 §5.1).
pub(super) fn private_json(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(body)
}

/// JSON that anybody may read and keep for a while.
pub(super) fn public_json(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(body)
}
