//! A request's body that is not read to its end. The HTTP server closes the connection after the response, as it must:
//! what comes next on it is no request. But a body in chunks whose reader is gone it reads on instead, for as long as
//! the client goes on: a connection and a task each, held for nothing. So the reader stays until the response is out.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use bytes::Bytes;
use futures_util::Stream;

/// Around every endpoint.
pub(crate) async fn held(mut request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<Held>, Error> {
    let reader = match request.take_payload() {
        Payload::None => None,
        payload => {
            let reader = Reader(Rc::new(RefCell::new(payload)));
            request.set_payload(Payload::Stream { payload: Box::pin(reader.clone()) });
            Some(reader)
        }
    };
    Ok(next.call(request).await?.map_body(|_, body| Held { body, _reader: reader }))
}

/// The body, for its handler and for [`Held`].
#[derive(Clone)]
struct Reader(Rc<RefCell<Payload>>);

impl Stream for Reader {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}

/// A response's body, and with it the request's.
pub(crate) struct Held {
    body: BoxBody,
    _reader: Option<Reader>,
}

impl MessageBody for Held {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
