//! The same requests to both services: equal answers but for the differences that the [`table`] names.
//!
//! Compared: status, media type, challenge, where a redirect leads, every member of the JSON that the Python service
//! sends. What ours says beyond that (headers, members) harms no client of the old one.

mod answer;
mod table;

use std::collections::BTreeMap;

use gateway_tests::client::Browser;
use reqwest::{Method, header};

use self::answer::Answer;
use super::{
    old_client::{OldClient, Pkce, pair},
    side_by_side::Both,
};

/// One request. `{client}`, `{secret}`, `{registration}`, `{code}`, `{access}` and `{refresh}` are the asking client's.
struct Case {
    name: &'static str,
    /// Method and path.
    ask: &'static str,
    /// `Name: value`, or nothing.
    header: &'static str,
    /// JSON when it begins with a brace, else a form.
    body: &'static str,
    differs: &'static [Difference],
}

/// What is compared, and what it is with ours; `-` when ours has none.
struct Difference(&'static str, &'static str);

const fn get(name: &'static str, path: &'static str) -> Case {
    Case { name, ask: path, header: "", body: "", differs: &[] }
}

const fn post(name: &'static str, ask: &'static str, body: &'static str) -> Case {
    Case { name, ask, header: "", body, differs: &[] }
}

impl Case {
    const fn with(self, header: &'static str) -> Self {
        Self { header, ..self }
    }

    const fn but(self, differs: &'static [Difference]) -> Self {
        Self { differs, ..self }
    }

    async fn put_to(&self, side: &Side) -> Answer {
        let (method, path) = self.ask.split_once(' ').unwrap_or(("GET", self.ask));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = side.browser.http.request(method, format!("{}{}", side.client.door, side.fill(path)));
        if let Some((name, value)) = self.header.split_once(": ") {
            request = request.header(name, side.fill(value));
        }
        if !self.body.is_empty() {
            let json = self.body.starts_with('{') && !self.body.starts_with("{client}");
            let kind = if json { "application/json" } else { "application/x-www-form-urlencoded" };
            request = request.header(header::CONTENT_TYPE, kind).body(side.fill(self.body));
        }
        Answer::read(request.send().await.unwrap()).await
    }
}

/// One of the two services, with a client and a login of its own.
struct Side {
    browser: Browser,
    client: OldClient,
    values: Vec<(&'static str, String)>,
}

impl Side {
    async fn of(client: OldClient, codes: [String; 2]) -> Self {
        let [code, unused] = codes;
        let (access, refresh) = pair(client.redeem(&code, Pkce::S256).await);
        let OldClient { id, secret, registration_token, browser, .. } = client.clone();
        let values = [
            ("{client}", id),
            ("{secret}", secret),
            ("{registration}", registration_token),
            ("{code}", unused),
            ("{access}", access),
            ("{refresh}", refresh),
        ];
        Self { browser, client, values: values.to_vec() }
    }

    fn fill(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

async fn sides(both: &Both) -> (Side, Side) {
    let (door, our_door) = both.doors();
    let old = OldClient::register(both.browser(), &door).await;
    let codes = [old.code_of_python("octocat", Pkce::S256).await, old.code_of_python("octocat", Pkce::S256).await];
    let new = OldClient::register(both.browser(), &our_door).await;
    let our_codes = [new.code_of_ours("octocat").await, new.code_of_ours("octocat").await];
    (Side::of(old, codes).await, Side::of(new, our_codes).await)
}

/// Undeclared and disproved differences, one a line.
fn judge(case: &Case, python: &Answer, ours: &Answer) -> Vec<String> {
    let declared: BTreeMap<_, _> = case.differs.iter().map(|Difference(what, ours)| (*what, *ours)).collect();
    let found = python.differences(ours);
    let undeclared = found.iter().filter(|(what, (_, ours))| declared.get(what.as_str()) != Some(&ours.as_str()));
    let undeclared = undeclared.map(|(what, (python, ours))| {
        format!("{}: {what} is {python:?} with Python and {ours:?} with ours", case.name)
    });
    let missing = declared.keys().filter(|what| !found.contains_key(**what));
    undeclared.chain(missing.map(|what| format!("{}: {what} does not differ", case.name))).collect()
}

#[tokio::test]
async fn both_services_answer_alike_but_for_the_differences_that_are_named() {
    let both = Both::start();
    let (python, ours) = sides(&both).await;
    let mut surprises = Vec::new();
    for case in table::CASES {
        surprises.extend(judge(case, &case.put_to(&python).await, &case.put_to(&ours).await));
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}
