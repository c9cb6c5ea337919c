//! The child's stderr, line by line into our log. Always read, whatever comes: an unread pipe would block the child.

use std::fmt::{self, Write};

use tokio::net::unix::pipe;
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

use super::label::{Label, labelled};
use super::stdout::read;
use crate::logging::with_half_the_room;
use crate::mcp::lines::{Cut, Lines};

/// Longest line that is logged; people read these.
const MAX_LINE: usize = 8 * 1024;

/// Until end of file, or until the family is `gone` and what it has written is read.
pub(super) async fn drain(mut pipe: pipe::Receiver, label: Label, gone: CancellationToken) {
    let mut lines = Lines::new(MAX_LINE);
    // Each read may yield, so that a flood leaves the others their turn.
    let gone = async || {
        gone.cancelled().await;
        yield_now().await;
    };
    while read(&mut pipe, &mut lines, gone()).await.is_ok_and(|read| read > 0) {
        while let Some(cut) = lines.cut() {
            report(cut, &label);
        }
    }
    if let Some(rest) = lines.rest() {
        report(rest, &label);
    }
}

fn report(cut: Cut, label: &Label) {
    with_half_the_room(|| match cut {
        Cut::Line(line) => labelled!(info!(label); "child wrote: {}", Escaped(&line)),
        Cut::Oversized(line) => labelled!(info!(label), bytes = line.bytes; "child wrote a line too long for the log"),
    });
}

/// Text that cannot forge a log line or move the cursor: controls and invalid bytes are escaped.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.0.utf8_chunks() {
            for c in piece.valid().chars() {
                if is_dangerous(c) { write!(f, "{}", c.escape_unicode())? } else { f.write_char(c)? }
            }
            for byte in piece.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// Controls (C0, DEL, C1), line separators and bidirectional overrides.
fn is_dangerous(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_stranger_who_holds_the_pipe_is_not_waited_for_once_the_family_is_gone() {
        let (reader, mut stranger) = std::io::pipe().unwrap();
        stranger.write_all(b"last words").unwrap();
        let (pipe, gone) = (pipe::Receiver::from_owned_fd(OwnedFd::from(reader)).unwrap(), CancellationToken::new());
        gone.cancel();
        let drained = drain(pipe, Label::new("1"), gone);
        tokio::time::timeout(Duration::from_secs(60), drained).await.expect("nobody writes any more");
    }

    #[test]
    fn a_child_cannot_forge_a_log_line_or_move_the_cursor() {
        let shown = Escaped("a\tb\r[2026] ERROR \u{1b}[2J\u{85}\u{202e}é\u{2028}".as_bytes()).to_string();
        assert_eq!(shown, "a\tb\\u{d}[2026] ERROR \\u{1b}[2J\\u{85}\\u{202e}é\\u{2028}");
    }

    #[test]
    fn bytes_that_are_not_text_are_shown_as_such() {
        assert_eq!(Escaped(b"a\xffb\xc3").to_string(), "a\\xffb\\xc3");
    }
}
