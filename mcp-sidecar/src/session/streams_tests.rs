use futures_util::{FutureExt, StreamExt};

use super::super::sink::Events;
use super::*;
use crate::mcp::sse::{self, EventId};

const JSON: Accept = Accept { json: true, sse: false };
const BOTH: Accept = Accept { json: true, sse: true };

const BEFORE: u64 = 1000;

struct Posted {
    reply: oneshot::Receiver<Reply>,
    route: Route,
}

fn streams() -> (Streams, Instant) {
    let (actor, _) = mpsc::channel(1);
    (Streams::new(Seat(0), BEFORE, Some(1 << 20), actor, &Metrics::new()), Instant::now())
}

fn posted(streams: &mut Streams, accept: Accept, now: Instant) -> Posted {
    let (reply, answer) = oneshot::channel();
    let route = streams.open(Exchange { accept, reply, requests: 1, batch: false, opening: false }, now);
    streams.taken_on(route);
    Posted { reply: answer, route }
}

fn stream(posted: &mut Posted) -> Events {
    match posted.reply.try_recv() {
        Ok(Reply::Stream(events)) => events,
        other => panic!("no stream: {other:?}"),
    }
}

/// What is there to be read; and whether more can come.
fn read(events: &mut Events) -> (String, bool) {
    let mut text = String::new();
    loop {
        match events.next().now_or_never() {
            Some(Some(Ok(event))) => text.push_str(&String::from_utf8_lossy(&event)),
            Some(None) => return (text, false),
            None => return (text, true),
        }
    }
}

#[test]
fn a_quick_answer_is_json_and_one_that_takes_long_a_stream_that_is_kept_alive() {
    let (mut streams, now) = streams();
    let mut quick = posted(&mut streams, BOTH, now);
    let mut slow = posted(&mut streams, BOTH, now);
    streams.answer(quick.route.stream, 200, "{\"quick\":1}".into());
    assert!(matches!(quick.reply.try_recv(), Ok(Reply::Json { status: 200, body }) if body == "{\"quick\":1}"));

    streams.tick(now + PLAIN_FOR - Duration::from_millis(1), true);
    assert!(slow.reply.try_recv().is_err(), "it may still be JSON");
    streams.tick(now + PLAIN_FOR, false);
    let mut events = stream(&mut slow);
    assert_eq!(read(&mut events), (String::from_utf8_lossy(sse::KEEP_ALIVE).into(), true), "its head goes out");
    streams.tick(now + 2 * PLAIN_FOR, true);
    assert_eq!(read(&mut events), (String::from_utf8_lossy(sse::KEEP_ALIVE).into(), true));
    streams.answer(slow.route.stream, 200, "{\"slow\":1}".into());
    let (answer, open) = read(&mut events);
    assert!(answer.ends_with("data: {\"slow\":1}\n\n") && !open, "{answer}");
}

#[test]
fn only_progress_prolongs_a_call_and_not_beyond_ten_times_its_time() {
    let (mut streams, began) = streams();
    let call = posted(&mut streams, BOTH, began);
    let (route, patience) = (call.route, Duration::from_secs(60));
    assert_eq!(streams.overdue(patience, began + patience / 2), []);
    streams.send(route.stream, &"\"a log line\"".into());
    assert_eq!(streams.overdue(patience, began + patience), [(route, patience)]);
    for sixth in 1..60 {
        streams.progressed(route.stream, began + patience * sixth / 6);
        assert_eq!(streams.overdue(patience, began + patience * sixth / 6), []);
    }
    assert_eq!(streams.overdue(patience, began + patience * 10), [(route, patience * 10)]);
}

#[test]
fn every_event_of_a_session_has_an_id_of_its_own_and_each_is_a_place_to_go_on_from() {
    let (mut streams, now) = streams();
    streams.opened(Some(ProtocolVersion::V2025_11_25));
    let nowhere = StreamId(u64::MAX);
    let mut call = posted(&mut streams, BOTH, now);
    let mut ids = Vec::new();
    for text in ["\"one\"", "\"two\""] {
        let mut get = streams.listen(None).unwrap();
        streams.send(nowhere, &Bytes::from_static(text.as_bytes()));
        ids.extend(ids_in(&read(&mut get).0));
    }
    streams.send(call.route.stream, &"\"said\"".into());
    ids.extend(ids_in(&read(&mut stream(&mut call)).0));
    assert_eq!(ids.len(), 6, "a priming event and another, three times: {ids:?}");
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 6, "{ids:?}");
    let mut from = |place: usize| read(&mut streams.listen(EventId::parse(&ids[place])).unwrap()).0;
    let primed = from(0);
    assert!(primed.contains("\"one\"") && primed.contains("\"two\""), "{primed}");
    for place in [1, 2] {
        let later = from(place);
        assert!(!later.contains("\"one\"") && later.contains("\"two\""), "{later}");
    }
    assert!(!from(3).contains("data: \""), "nothing was missed");
    assert!(from(4).contains("\"said\""), "the call's own stream, from its beginning");
}

fn ids_in(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.strip_prefix("id: ")).map(str::to_owned).collect()
}

#[test]
fn who_takes_no_stream_waits_for_json_however_long() {
    let (mut streams, now) = streams();
    let mut waiting = posted(&mut streams, JSON, now);
    streams.tick(now + 100 * PLAIN_FOR, true);
    assert!(waiting.reply.try_recv().is_err());
    streams.answer(waiting.route.stream, 200, "{}".into());
    assert!(matches!(waiting.reply.try_recv(), Ok(Reply::Json { .. })));
}

#[test]
fn a_newer_get_takes_the_older_ones_place_and_nothing_is_lost_between_them() {
    let (mut streams, _) = streams();
    let nowhere = StreamId(u64::MAX);
    let mut older = streams.listen(None).unwrap();
    streams.send(nowhere, &"\"one\"".into());
    assert!(read(&mut older).0.contains("\"one\""));
    let mut newer = streams.listen(None).unwrap();
    assert!(!read(&mut older).1, "its connection ends");
    streams.send(nowhere, &"\"two\"".into());
    assert!(read(&mut newer).0.contains("\"two\""));
    drop(newer);
    streams.send(nowhere, &"\"three\"".into());
    let back = read(&mut streams.listen(None).unwrap()).0;
    assert!(back.contains("\"three\"") && !back.contains("\"two\""), "{back}");
}

#[test]
fn a_stream_whose_reader_has_gone_is_found_where_the_last_event_was() {
    let (mut streams, now) = streams();
    streams.opened(Some(ProtocolVersion::V2025_11_25));
    let mut call = posted(&mut streams, BOTH, now);
    let id = call.route.stream;
    streams.send(id, &"\"half\"".into());
    let read_so_far = read(&mut stream(&mut call)).0;
    let last = read_so_far.rsplit("id: ").next().and_then(|rest| rest.lines().next()).unwrap();
    let last = EventId::parse(last).unwrap();
    streams.send(id, &"\"missed\"".into());
    let mut again = streams.listen(Some(last)).unwrap();
    streams.answer(id, 200, "\"answer\"".into());
    let (text, open) = read(&mut again);
    assert!(
        text.contains("\"missed\"") && text.contains("\"answer\"") && !text.contains("\"half\"") && !open,
        "{text}"
    );
    let unknown = EventId { stream: StreamId(77), number: BEFORE + 1 };
    assert_eq!(streams.listen(Some(unknown)).err(), Some(Rejection::EventUnknown));
}

/// What who comes back can read; and whether more can come. `None` when refused.
fn resumed(streams: &mut Streams, last: &str) -> Option<(String, bool)> {
    streams.listen(Some(EventId::parse(last).unwrap())).ok().map(|mut events| read(&mut events))
}

#[test]
fn a_stream_that_has_ended_is_replayed_as_often_as_it_takes_and_is_none_for_who_has_read_it() {
    let (mut streams, now) = streams();
    streams.opened(Some(ProtocolVersion::V2025_11_25));
    let mut call = posted(&mut streams, BOTH, now);
    streams.send(call.route.stream, &"\"half\"".into());
    streams.answer(call.route.stream, 200, "\"answer\"".into());
    let ids = ids_in(&read(&mut stream(&mut call)).0);
    assert_eq!(ids.len(), 3);
    for _ in 0..3 {
        let (rest, open) = resumed(&mut streams, &ids[1]).unwrap();
        assert!(rest.contains("\"answer\"") && !open, "{rest}");
        assert_eq!(ids_in(&rest), ids[2..]);
    }
    assert_eq!(resumed(&mut streams, &ids[2]), None);
}

#[test]
fn who_comes_back_before_the_answer_is_given_a_place_to_come_back_to_at_once() {
    let (mut streams, now) = streams();
    streams.opened(Some(ProtocolVersion::V2025_11_25));
    let mut call = posted(&mut streams, BOTH, now);
    streams.send(call.route.stream, &"\"half\"".into());
    let mut last = ids_in(&read(&mut stream(&mut call)).0).pop().unwrap();
    for _ in 0..3 {
        let (nothing, _) = resumed(&mut streams, &last).unwrap();
        assert!(nothing.contains("retry: ") && !nothing.contains("\"half\""), "{nothing}");
        let place = ids_in(&nothing).pop().unwrap();
        assert_ne!(place, last);
        last = place;
    }
    streams.answer(call.route.stream, 200, "\"answer\"".into());
    assert!(resumed(&mut streams, &last).unwrap().0.contains("\"answer\""));
}

#[test]
fn an_event_of_another_session_is_none_of_this_one() {
    let (mut streams, now) = streams();
    streams.opened(Some(ProtocolVersion::V2025_11_25));
    streams.send(StreamId(u64::MAX), &"\"one\"".into());
    let mut call = posted(&mut streams, BOTH, now);
    streams.send(call.route.stream, &"\"half\"".into());
    let mut events = stream(&mut call);
    for carried in ["0-0", "0-1", "0-5", "0-5000", "1-0", "1-1", "1-5000", "2-1"] {
        assert_eq!(resumed(&mut streams, carried), None, "{carried}");
    }
    assert!(read(&mut events).1, "its reader has lost nothing");
    assert!(read(&mut streams.listen(None).unwrap()).0.contains("\"one\""));
}

#[test]
fn an_answer_that_is_too_large_to_be_kept_is_told_of_as_an_error_of_that_call() {
    let (mut streams, now) = streams();
    streams.opened(Some(ProtocolVersion::V2025_11_25));
    let mut call = posted(&mut streams, BOTH, now);
    streams.send(call.route.stream, &"\"half\"".into());
    let last = ids_in(&read(&mut stream(&mut call)).0).pop().unwrap();
    let large = format!(r#"{{"jsonrpc":"2.0","id":"mine","result":"{}"}}"#, "x".repeat(1 << 20));
    streams.answer(call.route.stream, 200, large.into());
    let (told, open) = resumed(&mut streams, &last).unwrap();
    let told: serde_json::Value = serde_json::from_str(told.split("data: ").nth(1).unwrap()).unwrap();
    assert_eq!((&told["id"], &told["error"]["code"]), (&"mine".into(), &(-32603).into()));
    assert_eq!(told["error"]["data"]["reason"], "answer_not_kept");
    assert!(!open);
}
