//! How deep JSON nests, counted without recursion: a parser that recurses is what this protects.

/// Whether valid JSON nests more than `limit` arrays and objects.
pub(super) fn nested_deeper_than(json: &[u8], limit: usize) -> bool {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(found) = json[at..].iter().position(|byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']')) {
        at += found + 1;
        match json[at - 1] {
            b'"' => at = end_of_string(json, at),
            b'{' | b'[' if depth == limit => return true,
            b'{' | b'[' => depth += 1,
            _ => depth = depth.saturating_sub(1),
        }
    }
    false
}

fn end_of_string(json: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = json.get(at) {
        at += if byte == b'\\' { 2 } else { 1 };
        if byte == b'"' {
            break;
        }
    }
    at.min(json.len())
}
