//! Lines of a child: the same ones wherever its writes were cut, and what is too long fails alone.

use mcp_sidecar::mcp::jsonrpc::{Message, Request};
use mcp_sidecar::mcp::lines::{Cut, Lines, TooLong};
use mcp_sidecar::mcp::skim::{Passed, Skim};

/// The longest line, then where the pipe cuts, in steps; the rest is what the child wrote.
pub fn framing(bytes: &[u8]) {
    let [max_line, step, written @ ..] = bytes else { return };
    let (max_line, step) = (usize::from(*max_line), usize::from(*step).max(1));
    let mut lines = Lines::new(max_line);
    let mut read = Vec::new();
    for piece in written.chunks(step) {
        lines.room().extend_from_slice(piece);
        while let Some(cut) = lines.cut() {
            read.push(cut);
        }
    }
    read.extend(lines.rest());
    assert_eq!(lines.rest(), None, "the rest comes once");
    assert_eq!(read, cut_at_once(written, max_line));
}

/// What a line is, without any buffer.
fn cut_at_once(written: &[u8], max_line: usize) -> Vec<Cut> {
    let lines = written.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let cut = |line: &[u8]| match line.len() {
        length if length > max_line => too_long(line),
        _ => Cut::Line(line.to_vec().into()),
    };
    lines.filter(|line| !line.is_empty()).map(cut).collect()
}

fn too_long(line: &[u8]) -> Cut {
    let mut skim = Skim::default();
    skim.pass(line);
    let was = skim.passed();
    // The parser is the second opinion. It knows a member however its name is escaped; what passes by is not unescaped.
    if let Ok(message) = Message::parse(&line.to_vec().into())
        && !line.contains(&b'\\')
    {
        assert_eq!(was, kept(message));
    }
    Cut::Oversized(TooLong { bytes: line.len() as u64, was })
}

/// What it is when it is kept.
fn kept(message: Message) -> Passed {
    match message {
        Message::Request(Request { id, .. }) if id.as_bytes().len() <= 256 => Passed::Question(id),
        Message::Response(response) => response.answers().map_or(Passed::Other, Passed::Answer),
        Message::Request(_) | Message::Notification(_) => Passed::Other,
    }
}
