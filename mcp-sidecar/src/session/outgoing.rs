//! Lines that wait for a child which does not read: what clients say, and what the bridge itself answers the child.
//!
//! Either has its bound, and they stop different things. While clients' lines wait, clients wait too; the child is still
//! heard, as it may well write until somebody reads it before it reads again. Only while very many answers wait that it
//! asked for itself is it heard no longer.

use std::collections::VecDeque;

use bytes::Bytes;

/// Lines; beyond that clients wait.
const MAX_LINES: usize = 64;
/// Bytes of answers to the child's own requests; beyond that it is not heard. A request costs it no less than a line
/// here costs us.
const MAX_ANSWERS: usize = 1 << 20;
/// What a line costs beside its bytes.
const LINE: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Outgoing {
    lines: VecDeque<(Bytes, Author)>,
    answers: usize,
}

/// On whose behalf something is said to the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Author {
    Client,
    /// The child's own request made us answer.
    Child,
}

impl Outgoing {
    /// Whether this was the line that fills it.
    pub(super) fn push(&mut self, line: Bytes, author: Author) -> bool {
        if author == Author::Child {
            self.answers += LINE + line.len();
        }
        self.lines.push_back((line, author));
        self.lines.len() == MAX_LINES
    }

    pub(super) fn first(&self) -> Option<Bytes> {
        self.lines.front().map(|(line, _)| line.clone())
    }

    pub(super) fn pop(&mut self) {
        if let Some((line, Author::Child)) = self.lines.pop_front() {
            self.answers -= LINE + line.len();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether a client may say something, while so much waits elsewhere.
    pub(super) fn takes_lines(&self, elsewhere: usize) -> bool {
        self.lines.len() + elsewhere < MAX_LINES
    }

    /// Whether the child may ask something.
    pub(super) fn takes_answers(&self) -> bool {
        self.answers < MAX_ANSWERS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_wait_for_lines_and_the_child_only_for_what_it_asked_itself() {
        let mut outgoing = Outgoing::default();
        for _ in 0..MAX_LINES {
            assert!(outgoing.takes_lines(0));
            outgoing.push(Bytes::from(vec![b'x'; MAX_ANSWERS]), Author::Client);
        }
        assert!(!outgoing.takes_lines(0) && outgoing.takes_answers());
        outgoing.clear();
        assert!(outgoing.takes_lines(MAX_LINES - 1) && !outgoing.takes_lines(MAX_LINES));

        while outgoing.takes_answers() {
            outgoing.push("{}".into(), Author::Child);
        }
        assert!(outgoing.lines.len() <= MAX_ANSWERS / LINE);
        outgoing.pop();
        assert!(outgoing.takes_answers());
        while !outgoing.is_empty() {
            outgoing.pop();
        }
        assert_eq!((outgoing.answers, outgoing.first()), (0, None));
    }
}
