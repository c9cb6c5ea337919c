//! What a request brings, bounded in size and time before anything reads it.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};

use crate::oauth::{
    error::RegistrationError,
    params::{MAX_BYTES, ParamError, Params},
};

/// A body must be complete by then: slow-body attacks hold no connection longer.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, actix_web::Error>>>>;

/// A form; its fault is kept for the endpoint to tell in its own wire format.
#[derive(Debug)]
pub(super) struct Form(pub(super) Result<Params, ParamError>);

impl FromRequest for Form {
    type Error = actix_web::Error;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form = is_form(request);
        let body = read(request, payload, MAX_BYTES);
        Box::pin(async move {
            Ok(Self(match body.await {
                Err(unread) => Err(unread.into()),
                Ok(body) if is_form => Params::parse(&body),
                // RFC 6749 §4.1.3: parameters come as a form and not otherwise.
                Ok(_) => Ok(Params::default()),
            }))
        })
    }
}

/// A body of any kind, up to `MAX` bytes.
#[derive(Debug)]
pub(super) struct Body<const MAX: usize>(pub(super) Result<web::Bytes, Unread>);

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unread {
    TooLarge,
    /// Slow, or cut off.
    Incomplete,
}

impl From<Unread> for ParamError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLarge => Self::TooLarge,
            Unread::Incomplete => Self::Incomplete,
        }
    }
}

impl From<Unread> for RegistrationError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLarge => Self::TooLarge,
            Unread::Incomplete => Self::Incomplete,
        }
    }
}

impl<const MAX: usize> FromRequest for Body<MAX> {
    type Error = actix_web::Error;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = read(request, payload, MAX);
        Box::pin(async move { Ok(Self(body.await)) })
    }
}

fn is_form(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_none_or(|text| {
        let media_type = text.split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
) -> impl Future<Output = Result<web::Bytes, Unread>> + use<> {
    let payload = web::Payload::from_request(request, payload);
    async move {
        let complete = payload.await.map_err(|_| Unread::Incomplete)?.to_bytes_limited(limit);
        match tokio::time::timeout(BODY_TIMEOUT, complete).await {
            Ok(Ok(Ok(body))) => Ok(body),
            Ok(Err(_)) => Err(Unread::TooLarge),
            Ok(Ok(Err(_))) | Err(_) => Err(Unread::Incomplete),
        }
    }
}
