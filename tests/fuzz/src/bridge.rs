//! The bridge under any sequence of events: each request is answered once, to whom it asked and under its own id, and
//! nothing that one client says or gets to hear is another's.

use std::time::Duration;

use bytes::Bytes;
use mcp_sidecar::mcp::{
    bridge::{Audience, Bridge, Event, Output, durable::Durable, legacy::Legacy, modern::Modern},
    jsonrpc::{Incoming, Message, Outcome, Request, RequestId, Response},
    route::{Route, Seat},
    skim::Passed,
    sse::StreamId,
};
use serde_json::{Value, json};

use crate::shared::shared;
use child::AtChild;

mod child;

const SEAT: Seat = Seat(1);
const MAX_CALLS: usize = 8;
/// More of them find nothing that fewer do not.
const EVENTS: usize = 100;
/// Texts that are easily taken for each other, or for an id of ours.
const IDS: [&str; 6] = ["1", "\"1\"", "1.0", "2", "123456789012345678901234567890", "\"\\u0031\""];
const METHODS: [&str; 5] = ["tools/call", "initialize", "ping", "subscriptions/listen", "tools/list"];

/// `m` for the modern bridge, `s` for what is before a shared child; then events: a letter and a digit for which.
pub fn bridge(bytes: &[u8]) {
    let Some((first, events)) = bytes.split_first() else { return };
    let bridge = match first {
        b's' => return shared(events),
        b'm' => Bridge::Modern(Modern::new(MAX_CALLS)),
        _ => Bridge::Legacy(Durable::new(Legacy::new(SEAT, MAX_CALLS))),
    };
    let mut world = World {
        bridge,
        asked: Vec::new(),
        at_child: Vec::new(),
        read: 0,
        lost: false,
        questions: Vec::new(),
        now: Duration::ZERO,
    };
    for event in events.chunks_exact(2).take(EVENTS) {
        world.happens(event[0], usize::from(event[1]));
    }
    let (message, reason) = ("over".to_owned(), "over");
    world.feed(Event::End { message, reason, graceful: false });
    assert_eq!(world.asked.iter().filter(|asked| asked.open).count(), 0, "not everybody was answered");
    assert_eq!(world.bridge.in_flight(), 0);
}

/// A client's request; its place in the list is what its params say.
struct Asked {
    route: Route,
    id: &'static str,
    open: bool,
}

struct World {
    bridge: Bridge,
    asked: Vec<Asked>,
    at_child: Vec<AtChild>,
    /// How many of these the child has certainly read: it reads them one after the other.
    read: usize,
    /// A child, and there is no other one yet.
    lost: bool,
    /// Ids under which the client was asked.
    questions: Vec<Bytes>,
    now: Duration,
}

/// Streams whose number is odd are heard; nobody listens to the GET stream while there are few.
struct Hearing(usize);

impl Audience for Hearing {
    fn hears(&self, route: Route) -> bool {
        !route.stream.0.is_multiple_of(2)
    }

    fn may_return(&self, route: Route) -> bool {
        route.stream.0.is_multiple_of(3)
    }

    fn listens(&self, _: Seat) -> bool {
        self.0 > 4
    }
}

impl World {
    fn happens(&mut self, what: u8, which: usize) {
        match what {
            b'c' => self.call(which, 1),
            // Batches end with sessions.
            b'b' if !self.is_modern() => self.call(which, 2),
            b'a' => self.child_answers(which, "", Outcome::Result),
            b'A' => self.child_answers(which, "\"", Outcome::Result),
            b'e' => self.child_answers(which, "", Outcome::Error),
            b'q' => self.child_asks(which),
            b'p' => self.child_reports(which),
            b'n' => self.child_cannot_read(which),
            b'l' => self.child_logs(which),
            b'r' => self.client_answers(which),
            b'x' => self.client_cancels(which),
            b'o' => {
                let id = which.to_string();
                if let Some(at) = self.at_child.iter().position(|asked| asked.id == id) {
                    self.child_is_done_with(at);
                }
                self.child_overflows(Passed::Answer(which as u64));
            }
            b'Q' => {
                let id = RequestId::parse(IDS[which % IDS.len()].as_bytes()).expect("an id");
                self.child_overflows(Passed::Question(id));
            }
            b's' => self.feed(Event::Silent { route: route(which), patience: Duration::from_secs(1) }),
            b'g' => self.feed(Event::Gone(route(which))),
            b't' => {
                self.now += Duration::from_secs(1);
                self.feed(Event::Tick);
            }
            b'L' => {
                self.at_child.iter_mut().for_each(|asked| asked.over = true);
                self.read = self.at_child.len();
                self.lost = true;
                self.feed(Event::Lost { message: "gone".to_owned(), reason: "gone" });
            }
            b'F' if std::mem::take(&mut self.lost) => self.feed(Event::Fresh),
            b'D' => self.feed(Event::Drain),
            _ => {}
        }
    }

    /// A POST of one request, or of two.
    fn call(&mut self, which: usize, requests: usize) {
        let route = Route { seat: SEAT, stream: StreamId(self.asked.len() as u64 + 1) };
        let first = self.asked.len();
        let bodies: Vec<String> = (first..first + requests).map(|number| request(number, which)).collect();
        let body = if requests == 1 { bodies[0].clone() } else { format!("[{}]", bodies.join(",")) };
        let incoming = Incoming::parse(&body.into()).expect("a request");
        self.asked.extend((first..first + requests).map(|number| Asked { route, id: id(number, which), open: true }));
        self.feed(Event::Call { route, incoming });
    }

    fn client_answers(&mut self, which: usize) {
        let Some(id) = self.questions.get(which % self.questions.len().max(1)) else { return };
        let incoming = Incoming::parse(&response(id, "result", "{}").into()).expect("a response");
        self.feed(Event::Relay { seat: SEAT, incoming });
    }

    fn client_cancels(&mut self, which: usize) {
        let id = IDS[which % IDS.len()];
        let note = format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#);
        self.feed(Event::Relay { seat: SEAT, incoming: Incoming::parse(&note.into()).expect("a notification") });
    }

    fn feed(&mut self, event: Event) {
        let mut outputs = Vec::new();
        self.bridge.on(event, self.now, &Hearing(self.asked.len()), &mut outputs);
        outputs.into_iter().for_each(|output| self.check(output));
        let open = self.asked.iter().filter(|asked| asked.open).count();
        assert!(self.bridge.in_flight() <= open, "{} of {open} are open", self.bridge.in_flight());
    }

    fn check(&mut self, output: Output) {
        match output {
            Output::ToChild(line) => self.child_hears(&line),
            Output::Answer { route, message, .. } | Output::NotOpened { route, message } => {
                self.answered(route, &message)
            }
            Output::Say { route, message } => self.client_hears(route, &message),
            Output::Refused { route, .. } | Output::Closed(route) => {
                self.asked.iter_mut().filter(|asked| asked.route == route).for_each(|asked| asked.open = false);
            }
            _ => {}
        }
    }

    fn child_hears(&mut self, line: &Bytes) {
        match Message::parse(line).expect("a message") {
            Message::Request(Request { id, params: Some(params), method }) => {
                let number = value(&params)["number"].as_u64().expect("which request it is") as usize;
                let id = Bytes::copy_from_slice(id.as_bytes());
                assert!(self.at_child.iter().all(|known| known.id != id), "an id twice: {line:?}");
                let listens = method.is("subscriptions/listen");
                self.at_child.push(AtChild { id, number, listens, over: false, cancelled: None });
            }
            Message::Notification(note) if note.method.is("notifications/cancelled") => {
                let id = value(&note.params.expect("with params"))["requestId"].to_string();
                if let Some(asked) = self.at_child.iter_mut().find(|asked| asked.id == id) {
                    asked.cancelled.get_or_insert(self.now);
                }
            }
            Message::Response(response) => {
                let id = response.id.expect("an id");
                assert!(IDS.iter().any(|known| known.as_bytes() == id.as_bytes()), "not the child's own: {line:?}");
            }
            Message::Request(_) | Message::Notification(_) => {}
        }
    }

    fn answered(&mut self, route: Route, message: &Bytes) {
        let Message::Response(Response { id: Some(id), outcome }) = Message::parse(message).expect("a message") else {
            panic!("no answer: {message:?}")
        };
        let (Outcome::Result(said) | Outcome::Error(said)) = outcome;
        // What the child says names the request; what we say ourselves does not.
        let number = value(&said)["number"].as_u64();
        let is_it = |(at, asked): &(usize, &mut Asked)| {
            asked.open && asked.route == route && number.is_none_or(|number| number == *at as u64)
        };
        let found = self.asked.iter_mut().enumerate().find(|pair| is_it(pair) && pair.1.id.as_bytes() == id.as_bytes());
        let (_, asked) = found.unwrap_or_else(|| panic!("nobody waits for {message:?} on {route:?}"));
        asked.open = false;
    }

    fn is_modern(&self) -> bool {
        matches!(self.bridge, Bridge::Modern(_))
    }

    fn client_hears(&mut self, route: Route, message: &Bytes) {
        let waits = |asked: &Asked| asked.open && asked.route == route;
        let heard = Message::parse(message).expect("a message");
        // A question may outlive the call that it came with, and be withdrawn then.
        let withdrawn = matches!(&heard, Message::Notification(note) if note.method.is("notifications/cancelled"));
        assert!(
            withdrawn || route == Route::standalone(SEAT) || self.asked.iter().any(waits),
            "{message:?} on {route:?}"
        );
        match heard {
            Message::Request(request) => self.questions.push(Bytes::copy_from_slice(request.id.as_bytes())),
            Message::Notification(note) if note.method.is("notifications/progress") => {
                let params = value(&note.params.expect("with params"));
                let number = params["number"].as_u64().expect("which request it is about") as usize;
                assert_eq!(params["progressToken"], json!(format!("token {number}")));
                assert_eq!(self.asked[number].route, route);
            }
            // Of requests that stand alone a log message reaches the one it is about, if that asked for any, or none.
            Message::Notification(note) if note.method.is("notifications/message") && self.is_modern() => {
                let number = value(&note.params.expect("with params"))["number"].as_u64().expect("about a request");
                assert_eq!((self.asked[number as usize].route, number % 2), (route, 0), "it crossed");
            }
            Message::Notification(_) => {}
            Message::Response(_) => panic!("an answer is no other message: {message:?}"),
        }
    }
}

fn route(which: usize) -> Route {
    Route { seat: SEAT, stream: StreamId(which as u64) }
}

fn id(number: usize, which: usize) -> &'static str {
    IDS[(number + which) % IDS.len()]
}

fn request(number: usize, which: usize) -> String {
    let (id, method) = (id(number, which), METHODS[which % METHODS.len()]);
    let logs = if number.is_multiple_of(2) { r#","io.modelcontextprotocol/logLevel":"info""# } else { "" };
    let meta = format!(r#"{{"progressToken":"token {number}"{logs}}}"#);
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{"number":{number},"_meta":{meta}}}}}"#)
}

fn response(id: &Bytes, name: &str, value: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{},"{name}":{value}}}"#, String::from_utf8_lossy(id))
}

fn value(json: &Bytes) -> Value {
    serde_json::from_slice(json).expect("JSON")
}
