//! Bytes to lines, whatever pieces they arrive in (MCP stdio transport: messages are delimited by newlines).
//!
//! A line is cut off the buffer without copying. One that outgrows the limit is counted and thrown away as it comes,
//! so that memory stays bounded and the lines after it are read as if nothing had happened.

use bytes::{Bytes, BytesMut};

use super::skim::{Passed, Skim};

/// What the pipe is read into at a time: its usual capacity.
const CHUNK: usize = 64 * 1024;
/// A buffer that a long line has grown beyond this is not kept for the short ones after it.
const KEEP: usize = 4 * CHUNK;

/// What was cut off the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Cut {
    /// Without its newline, and without the carriage return of a Windows program. Never empty.
    Line(Bytes),
    /// A line was over the limit and is gone.
    Oversized(TooLong),
}

/// What is left of a line that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLong {
    pub bytes: u64,
    pub was: Passed,
}

impl TooLong {
    /// The same as the answer to another request.
    pub fn answering(&self, number: u64) -> Self {
        Self { bytes: self.bytes, was: Passed::Answer(number) }
    }
}

/// The cutter.
#[derive(Debug)]
pub struct Lines {
    max_line: usize,
    buffer: BytesMut,
    /// Bytes at the front of `buffer` known to hold no newline.
    searched: usize,
    /// What of an oversized line has been thrown away so far.
    skipped: Option<Skipped>,
}

#[derive(Debug, Default)]
struct Skipped {
    bytes: u64,
    skim: Skim,
}

impl Skipped {
    fn pass(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        self.skim.pass(piece);
    }

    fn end(mut self, last: &[u8]) -> Cut {
        self.pass(last);
        Cut::Oversized(TooLong { bytes: self.bytes, was: self.skim.passed() })
    }
}

impl Lines {
    /// A longer line than `max_line` bytes is [`Cut::Oversized`].
    pub fn new(max_line: usize) -> Self {
        Self { max_line, buffer: BytesMut::new(), searched: 0, skipped: None }
    }

    /// Where the next bytes go: at the end, with room for a good piece.
    pub fn room(&mut self) -> &mut BytesMut {
        if self.buffer.capacity() - self.buffer.len() < CHUNK / 4 {
            self.buffer.reserve(CHUNK);
        }
        &mut self.buffer
    }

    /// The next whole line, if there is one.
    pub fn cut(&mut self) -> Option<Cut> {
        loop {
            let Some(at) = memchr::memchr(b'\n', &self.buffer[self.searched..]) else {
                self.skip_what_is_too_long();
                return None;
            };
            let end = self.searched + at;
            let line = self.take(end);
            if let Some(skipped) = self.skipped.take() {
                return Some(skipped.end(&line));
            }
            if line.len() > self.max_line {
                return Some(Skipped::default().end(&line));
            }
            if !line.is_empty() {
                return Some(Cut::Line(line));
            }
        }
    }

    /// What came after the last newline, once nothing more can come.
    pub fn rest(&mut self) -> Option<Cut> {
        let rest = without_return(self.buffer.split().freeze());
        self.searched = 0;
        match self.skipped.take() {
            Some(skipped) => Some(skipped.end(&rest)),
            None if rest.is_empty() => None,
            None if rest.len() > self.max_line => Some(Skipped::default().end(&rest)),
            None => Some(Cut::Line(rest)),
        }
    }

    fn take(&mut self, end: usize) -> Bytes {
        let mut line = self.buffer.split_to(end + 1).freeze();
        line.truncate(end);
        self.searched = 0;
        if end > KEEP {
            self.buffer = BytesMut::from(&self.buffer[..]);
        }
        without_return(line)
    }

    fn skip_what_is_too_long(&mut self) {
        // One byte more than allowed may still be the carriage return of a line that fits.
        if self.skipped.is_some() || self.buffer.len() > self.max_line.saturating_add(1) {
            // A carriage return stays: a newline may follow, and then it does not count.
            let left = usize::from(self.buffer.last() == Some(&b'\r'));
            let gone = self.buffer.len() - left;
            self.skipped.get_or_insert_default().pass(&self.buffer[..gone]);
            self.buffer.clear();
            if self.buffer.capacity() > KEEP {
                self.buffer = BytesMut::new();
            }
            self.buffer.extend_from_slice(&b"\r"[..left]);
        }
        self.searched = self.buffer.len();
    }
}

/// Windows programs end lines with CR LF.
fn without_return(mut line: Bytes) -> Bytes {
    if line.last() == Some(&b'\r') {
        line.truncate(line.len() - 1);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fed(lines: &mut Lines, pieces: &[&[u8]]) -> Vec<Cut> {
        let mut cuts = Vec::new();
        for piece in pieces {
            lines.room().extend_from_slice(piece);
            while let Some(cut) = lines.cut() {
                cuts.push(cut);
            }
        }
        cuts
    }

    fn read(lines: &mut Lines, pieces: &[&[u8]]) -> Vec<Cut> {
        let mut cuts = fed(lines, pieces);
        cuts.extend(lines.rest());
        cuts
    }

    fn line(text: &str) -> Cut {
        Cut::Line(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn too_long(bytes: u64) -> Cut {
        Cut::Oversized(TooLong { bytes, was: Passed::Other })
    }

    #[test]
    fn a_message_split_at_any_byte_arrives_whole() {
        let text = "{\"é\":\"𝄞\"}\r\n{\"b\":2}\n".as_bytes();
        for at in 0..text.len() {
            let cuts = fed(&mut Lines::new(100), &[&text[..at], &text[at..]]);
            assert_eq!(cuts, [line("{\"é\":\"𝄞\"}"), line("{\"b\":2}")], "split at {at}");
        }
    }

    #[test]
    fn an_oversized_line_is_skipped_and_the_next_one_is_read() {
        let mut lines = Lines::new(4);
        let cuts = fed(&mut lines, &[b"12345678", b"9", b"0\r\nabcd\r\nabcde\n", b"ok\n"]);
        assert_eq!(cuts, [too_long(10), line("abcd"), too_long(5), line("ok")]);
    }

    #[test]
    fn an_oversized_answer_tells_which_request_it_answered_wherever_its_id_is() {
        for text in [r#"{"id":17,"result":"123456789"}"#, r#"{"result":["123456789"],"id":17}"#] {
            for at in 0..text.len() {
                let mut lines = Lines::new(9);
                let (head, tail) = text.as_bytes().split_at(at);
                let whole = Cut::Oversized(TooLong { bytes: text.len() as u64, was: Passed::Answer(17) });
                assert_eq!(
                    fed(
                        &mut lines,
                        &[
                            head, tail, b"
"
                        ]
                    ),
                    [whole],
                    "{text} split at {at}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_cut_anywhere_give_the_same_lines(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..80),
            max_line in 0_usize..8,
            at in prop::collection::vec(0_usize..80, 0..6),
        ) {
            let whole = read(&mut Lines::new(max_line), &[&bytes]);
            let mut ends: Vec<usize> = at.into_iter().map(|at| at.min(bytes.len())).chain([0, bytes.len()]).collect();
            ends.sort_unstable();
            let pieces: Vec<&[u8]> = ends.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
            prop_assert_eq!(read(&mut Lines::new(max_line), &pieces), whole);
        }
    }

    #[test]
    fn an_endless_line_does_not_fill_the_memory() {
        let mut lines = Lines::new(KEEP);
        let piece = [b'x'; CHUNK];
        for _ in 0..1000 {
            assert_eq!(fed(&mut lines, &[&piece]), []);
            assert!(lines.buffer.capacity() < 4 * KEEP);
        }
        assert_eq!(fed(&mut lines, &[b"\n"]), [too_long(1000 * CHUNK as u64)]);
    }

    #[test]
    fn empty_lines_are_nothing_and_an_unfinished_one_counts_at_the_end() {
        let mut lines = Lines::new(9);
        assert_eq!(fed(&mut lines, &[b"\n\r\n\na\n", b"last"]), [line("a")]);
        assert_eq!(lines.rest(), Some(line("last")));
        assert_eq!(lines.rest(), None);
    }

    #[test]
    fn a_buffer_grown_by_one_long_line_is_given_back() {
        let mut lines = Lines::new(100 * CHUNK);
        let long = vec![b'x'; 50 * CHUNK];
        assert_eq!(fed(&mut lines, &[&long, b"\nabc"]).len(), 1);
        assert!(lines.buffer.capacity() < KEEP);
        assert_eq!(fed(&mut lines, &[b"\n"]), [line("abc")]);
    }
}
