//! What a client sent may hold newlines, terminal escapes, or characters that turn text round: in a log it is inert.

/// Control characters, line separators, and what reorders or hides text (Unicode TR 36 §3.1, «trojan source»).
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// One line, whatever it was.
pub(crate) fn one_line(text: &str) -> String {
    let escape = |c: char| if acts(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// A value in a text line: quoted unless it is one plain word.
pub(super) fn quoted(value: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !acts(c) && !"\"=\\".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("\"{}\"", one_line(&value.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// A JSON string (RFC 8259 §7), with what acts escaped as well.
pub(super) fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let escape = |c: char| if acts(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    quoted.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_forge_a_second_log_line() {
        assert_eq!(quoted("a\nERROR owned"), "\"a\\nERROR owned\"");
        assert_eq!(quoted("client_abc"), "client_abc");
        assert_eq!(quoted(""), "\"\"");
        assert_eq!(one_line("\u{1b}[31m"), "\\u{1b}[31m");
    }

    #[test]
    fn a_value_cannot_end_its_quotes_or_pass_for_an_escape() {
        assert_eq!(quoted("a\" code=\"b"), "\"a\\\" code=\\\"b\"");
        assert_eq!(quoted("a\\nb"), "\"a\\\\nb\"");
    }

    #[test]
    fn a_value_cannot_turn_the_line_round() {
        assert_eq!(quoted("a\u{202e}cba"), "\"a\\u{202e}cba\"");
        assert_eq!(json("a\u{202e}\u{2066}b"), "\"a\\u202e\\u2066b\"");
    }

    proptest::proptest! {
        #[test]
        fn whatever_it_is_json_reads_it_back_from_one_line(text in "\\PC*|.*") {
            let written = json(&text);
            let line_ends = ['\n', '\r', '\u{2028}', '\u{85}'];
            proptest::prop_assert!(!written.contains(line_ends));
            proptest::prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }
}
