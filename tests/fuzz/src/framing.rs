//! Lines of a child: the same ones wherever its writes were cut, and what is too long fails alone.

use mcp_sidecar::mcp::lines::{Cut, Lines, TooLong};
use mcp_sidecar::mcp::skim::Skim;

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
    Cut::Oversized(TooLong { bytes: line.len() as u64, answers: skim.answers() })
}
