//! A request's body: bounded in bytes and in time.

use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use crate::config::BodyLimits;
use crate::mcp::rejection::Rejection;

pub(super) async fn read(mut payload: Payload, announced: Option<u64>, limits: BodyLimits) -> Result<Bytes, Rejection> {
    if announced.is_some_and(|length| length > limits.bytes as u64) {
        return Err(Rejection::BodyTooLarge);
    }
    let collected = async {
        let first = match payload.next().await {
            None => return Ok(Bytes::new()),
            Some(chunk) => chunk.map_err(|_| Rejection::BodyUnreadable)?,
        };
        // Nearly always the whole body is in the first chunk: nothing is copied.
        if announced == Some(first.len() as u64) {
            return Ok(first);
        }
        let mut body = BytesMut::from(first);
        while body.len() <= limits.bytes {
            match payload.next().await {
                None => return Ok(body.freeze()),
                Some(chunk) => body.extend_from_slice(&chunk.map_err(|_| Rejection::BodyUnreadable)?),
            }
        }
        Err(Rejection::BodyTooLarge)
    };
    tokio::time::timeout(limits.within, collected).await.unwrap_or(Err(Rejection::BodyTooSlow))
}
