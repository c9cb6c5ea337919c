//! What of an answer is compared, as names and values.

use std::collections::BTreeMap;

use reqwest::{Response, header::HeaderMap};
use serde_json::Value;
use url::Url;

/// Members whose values are made anew each time, or are for people.
const MADE: [&str; 15] = [
    "aud",
    "client_id",
    "client_secret",
    "client_secret_expires_at",
    "client_id_issued_at",
    "registration_access_token",
    "registration_client_uri",
    "access_token",
    "refresh_token",
    "error_description",
    "jti",
    "iat",
    "exp",
    "kid",
    "n",
];

#[derive(Debug)]
pub(super) struct Answer(BTreeMap<String, String>);

impl Answer {
    pub(super) async fn read(answer: Response) -> Self {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.text().await.unwrap();
        let mut facts = BTreeMap::from([("status".to_owned(), status.to_string())]);
        let text = |name: &str| text(&headers, name);
        let media = |value: String| value.split(';').next().unwrap_or_default().to_owned();
        facts.extend(text("content-type").filter(|_| !body.is_empty()).map(|value| ("type".to_owned(), media(value))));
        facts.extend(text("www-authenticate").map(|value| ("challenge".to_owned(), scheme_and_error(&value))));
        facts.extend(text("location").map(|value| ("location".to_owned(), shape(&value))));
        for name in ["x-user-id", "x-user-name"] {
            facts.extend(text(name).map(|value| (name.to_owned(), value)));
        }
        flatten("", &serde_json::from_str(&body).unwrap_or_default(), &mut facts);
        Self(facts)
    }

    /// What is not the same with `ours`: both values. Only what this answer holds is asked for.
    pub(super) fn differences(&self, ours: &Self) -> BTreeMap<String, (String, String)> {
        let absent = || "-".to_owned();
        // FastAPI's own refusal of a malformed request: nothing but the status is for programs.
        let counts = |what: &str| what == "status" || self.0["status"] != "422";
        let pairs = self.0.iter().filter(|(what, _)| counts(what)).map(|(what, here)| {
            let there = ours.0.get(what).cloned().unwrap_or_else(absent);
            (what.clone(), (here.clone(), there))
        });
        pairs.filter(|(_, (here, there))| here != there).collect()
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// A challenge without its parameters, but for the error (RFC 6750 §3).
fn scheme_and_error(challenge: &str) -> String {
    let scheme = challenge.split([' ', ',']).next().unwrap_or_default();
    let error = challenge.split_once("error=\"").and_then(|(_, rest)| rest.split('"').next());
    error.map_or_else(|| scheme.to_owned(), |error| format!("{scheme} {error}"))
}

/// A redirect without the values that are made anew: where to, and which parameters.
fn shape(location: &str) -> String {
    let Ok(url) = Url::parse("https://relative.example").and_then(|base| base.join(location)) else {
        return location.to_owned();
    };
    let names = url.query_pairs().map(|(name, value)| match &*name {
        "error" => format!("{name}={value}"),
        _ => name.into_owned(),
    });
    format!("{}?{}", url.path(), names.collect::<Vec<_>>().join("&"))
}

fn flatten(path: &str, value: &Value, facts: &mut BTreeMap<String, String>) {
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(members) if path.is_empty() || path.starts_with("keys") => {
            members.iter().for_each(|(name, value)| flatten(&under(name), value, facts));
        }
        Value::Array(items) if path == "keys" => {
            items.iter().enumerate().for_each(|(at, item)| flatten(&under(&at.to_string()), item, facts));
        }
        Value::Null => {}
        Value::String(words) if path == "scope" => {
            // RFC 6749 §3.3: the order does not matter.
            let mut words: Vec<_> = words.split(' ').collect();
            words.sort_unstable();
            facts.insert(path.to_owned(), words.join(" "));
        }
        Value::Array(items) if !MADE.contains(&path) => {
            // A list may grow; what it held must stay.
            facts.extend(items.iter().map(|item| (format!("{path}[{}]", plain(item)), "listed".to_owned())));
        }
        _ if path.is_empty() => {
            facts.insert("body".to_owned(), "text".to_owned());
        }
        _ => {
            let made = MADE.contains(&path.rsplit('.').next().unwrap_or_default());
            facts.insert(path.to_owned(), if made { form(value).to_owned() } else { plain(value) });
        }
    }
}

/// Without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace('"', "")
}

fn form(value: &Value) -> &'static str {
    if value.is_array() { "[…]" } else { "…" }
}
