//! A long body in pieces. What goes to a connection is copied into its buffer once more, and that grows with what it is
//! given and keeps its size: a large result would be held once more in full, and for as long as the connection lives.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

const PIECE: usize = 64 * 1024;

/// A body that is there as a whole.
pub(super) struct Pieces(pub(super) Bytes);

/// A body that comes event by event.
pub(super) fn of(
    events: impl Stream<Item = Result<Bytes, Infallible>>,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    events.flat_map(|Ok(event)| stream::iter(Pieces(event).map(Ok)))
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let piece = self.0.len().min(PIECE);
        (piece > 0).then(|| self.0.split_to(piece))
    }
}

impl MessageBody for Pieces {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0.len() as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(self.next().map(Ok))
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        if self.0.len() <= PIECE { Ok(self.0) } else { Err(self) }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn the_pieces_are_the_whole() {
        let whole: Bytes = (0..3 * PIECE + 1).map(|at| at as u8).collect();
        let mut body = Pieces(whole.clone());
        assert_eq!(body.size(), BodySize::Sized(whole.len() as u64));
        let mut read = Vec::new();
        while let Some(Ok(piece)) = poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await {
            assert!(!piece.is_empty() && piece.len() <= PIECE);
            read.extend_from_slice(&piece);
        }
        assert_eq!(read, whole);

        let events = stream::iter([Ok(whole.clone()), Ok("short".into())]);
        let read: Vec<Bytes> = of(events).map(|Ok(piece)| piece).collect().await;
        assert_eq!((read.len(), read.concat()), (5, [&whole[..], b"short"].concat()));
    }
}
