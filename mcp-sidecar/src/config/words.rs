//! A command line in one string, split as a POSIX shell splits words: white space, quotes, backslash. Nothing is
//! expanded and no shell runs.

/// # Errors
/// What is unfinished, as a phrase.
pub(super) fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match char {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => single_quoted(&mut chars, word.get_or_insert_default())?,
            '"' => double_quoted(&mut chars, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("ends with a backslash")?),
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Ok(words)
}

fn single_quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    loop {
        match chars.next().ok_or("has an open single quote")? {
            '\'' => return Ok(()),
            char => word.push(char),
        }
    }
}

/// Within double quotes a backslash quotes only `"`, `\`, `$` and the backquote (POSIX 2.2.3).
fn double_quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    const OPEN: &str = "has an open double quote";
    loop {
        match chars.next().ok_or(OPEN)? {
            '"' => return Ok(()),
            '\\' => match chars.next().ok_or(OPEN)? {
                quoted @ ('"' | '\\' | '$' | '`') => word.push(quoted),
                other => word.extend(['\\', other]),
            },
            char => word.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_splits_them_and_nothing_is_expanded() {
        for (line, words) in [
            ("npx -y server", vec!["npx", "-y", "server"]),
            ("  a\t'b c'\\ d \"e \\\" \\n\" '' ", vec!["a", "b c d", "e \" \\n", ""]),
            ("sh -c 'echo $HOME; ls'", vec!["sh", "-c", "echo $HOME; ls"]),
            ("a$HOME*", vec!["a$HOME*"]),
            ("", vec![]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
    }

    #[test]
    fn an_unfinished_quote_is_a_fault() {
        for line in ["a 'b", "a \"b", "a \"b\\", "a\\"] {
            assert!(split(line).is_err(), "{line}");
        }
    }
}
