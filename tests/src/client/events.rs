//! A stream of server-sent events, read while it is still being written.

use reqwest::Response;
use serde_json::Value;

#[derive(Debug)]
pub struct Events {
    response: Response,
    unread: String,
    /// Of the last event that had one: what a client that comes back says.
    pub last_id: Option<String>,
}

impl Events {
    pub fn of(response: Response) -> Self {
        let kind = response.headers().get("content-type").map(|kind| kind.as_bytes().to_owned());
        assert!(kind.is_some_and(|kind| kind.starts_with(b"text/event-stream")), "{response:?}");
        Self { response, unread: String::new(), last_id: None }
    }

    /// The next message; `None` when the stream has ended, in whatever way.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some((event, rest)) = self.unread.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.unread = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                self.last_id = field("id:").map(str::to_owned).or(self.last_id.take());
                // Comments, and events that only carry an id, say nothing.
                if let Some(data) = field("data:").filter(|data| !data.is_empty()) {
                    return Some(serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}")));
                }
            }
            let more = self.response.chunk().await.ok()??;
            self.unread.push_str(std::str::from_utf8(&more).expect("events are cut between characters here"));
        }
    }

    /// The next message with this method.
    pub async fn until(&mut self, method: &str) -> Value {
        loop {
            let message = self.next().await.unwrap_or_else(|| panic!("the stream ended before {method}"));
            if message["method"] == method {
                return message;
            }
        }
    }
}
