//! What a request is about, in a word for the log: the tool's or prompt's name, or the scheme of a resource's URI.
//! Never arguments, and never a whole URI: secrets are in both.

use std::borrow::Cow;

use serde::Deserialize;

use super::jsonrpc::Request;

/// A name is the client's text; a log is no place for 100 kB of it.
const LONGEST: usize = 128;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Name(String),
    Scheme(String),
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    uri: Option<Cow<'a, str>>,
}

impl Subject {
    pub fn of(request: &Request) -> Option<Self> {
        let named = ["tools/call", "prompts/get"].iter().any(|method| request.method.is(method));
        let located = ["resources/read", "resources/subscribe", "resources/unsubscribe"];
        if !named && !located.iter().any(|method| request.method.is(method)) {
            return None;
        }
        let params: Named<'_> = serde_json::from_slice(request.params.as_ref()?).ok()?;
        if named {
            return Some(Self::Name(params.name?.chars().take(LONGEST).collect()));
        }
        // RFC 3986 §3.1. What has no scheme may be anything, so nothing of it is told.
        let uri = params.uri?;
        let scheme = uri.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| is_scheme(scheme))?;
        Some(Self::Scheme(scheme.to_owned()))
    }
}

fn is_scheme(text: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.len() <= 32 && text.starts_with(|char: char| char.is_ascii_alphabetic()) && text.bytes().all(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::jsonrpc::Message;
    use bytes::Bytes;

    fn subject(method: &str, params: &str) -> Option<Subject> {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        match Message::parse(&Bytes::from(text)) {
            Ok(Message::Request(request)) => Subject::of(&request),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tools_and_prompts_are_named_and_their_arguments_are_not() {
        let name = |name: &str| Some(Subject::Name(name.to_owned()));
        assert_eq!(subject("tools/call", r#"{"name":"echo","arguments":{"password":"x"}}"#), name("echo"));
        assert_eq!(subject("prompts/get", r#"{"name":"a\nb"}"#), name("a\nb"));
        let long = "n".repeat(1000);
        assert_eq!(subject("tools/call", &format!(r#"{{"name":"{long}"}}"#)), name(&long[..128]));
    }

    #[test]
    fn of_a_resource_only_the_scheme_is_told() {
        let scheme = |uri: &str| subject("resources/read", &format!(r#"{{"uri":"{uri}"}}"#));
        assert_eq!(scheme("https://u:secret@h/?token=x"), Some(Subject::Scheme("https".into())));
        for odd in ["secret", "sec ret:x", ":x", "1a:x", &format!("{}:x", "a".repeat(33))] {
            assert_eq!(scheme(odd), None, "{odd}");
        }
    }

    #[test]
    fn other_methods_and_odd_params_have_no_subject() {
        assert_eq!(subject("completion/complete", r#"{"name":"x"}"#), None);
        assert_eq!(subject("tools/call", "[1]"), None);
        assert_eq!(subject("tools/call", r#"{"name":7}"#), None);
    }
}
