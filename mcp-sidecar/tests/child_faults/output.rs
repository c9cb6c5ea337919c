//! What a child may write, and how.

use std::time::Instant;

use bytes::Bytes;
use mcp_sidecar::child::{ExitReason, FromChild, Limits};
use mcp_sidecar::mcp::lines::TooLong;
use mcp_sidecar::mcp::skim::Passed;

use crate::support::{LIMITS, PATIENT, line, next, rest, shell, shell_within, soon};

#[tokio::test]
async fn lines_come_back_in_order_and_whole() {
    let (child, mut events) = shell("cat");
    for number in 0..1000 {
        let sent = format!("{{\"id\":{number},\"é\":\"𝄞\"}}");
        child.send(sent.clone().into()).await.unwrap();
        assert_eq!(line(&mut events).await, sent);
    }
    soon(child.stop()).await;
}

#[tokio::test]
async fn junk_that_is_not_utf8_passes_unchanged() {
    let (_child, mut events) = shell(r"printf 'junk \377\000\n\r\n{}\r\nno newline'");
    let (lines, reason) = rest(&mut events).await;
    assert_eq!(lines, [Bytes::from_static(b"junk \xff\0"), "{}".into(), "no newline".into()]);
    assert_eq!(reason, ExitReason::Code(0));
}

#[tokio::test]
async fn a_message_written_byte_by_byte_arrives_whole() {
    let script = r#"for b in '{"' '\303' '\251' '":' '\360' '\235' '}\n'; do printf $b; sleep 0.01; done"#;
    let (_child, mut events) = shell(script);
    assert_eq!(rest(&mut events).await.0, [Bytes::from_static(b"{\"\xc3\xa9\":\xf0\x9d}")]);
}

#[tokio::test]
async fn an_oversized_line_fails_alone() {
    let limits = Limits { max_line: 100_000, ..LIMITS };
    let (_child, mut events) = shell_within("echo a; head -c 30000000 /dev/zero; echo; echo b; cat", &limits);
    assert_eq!(line(&mut events).await, "a");
    assert_eq!(next(&mut events).await, Some(FromChild::Oversized(TooLong { bytes: 30_000_000, was: Passed::Other })));
    assert_eq!(line(&mut events).await, "b");
}

#[tokio::test]
async fn sixteen_mebibytes_travel_both_ways() {
    let limits = Limits { max_line: 16 << 20, ..LIMITS };
    let (child, mut events) = shell_within("cat", &limits);
    let long = Bytes::from(vec![b'x'; 16 << 20]);
    child.send(long.clone()).await.unwrap();
    assert!(next(&mut events).await == Some(FromChild::Line(long)));
    soon(child.stop()).await;
}

#[tokio::test]
async fn a_flood_on_stderr_does_not_block_the_child() {
    let (_child, mut events) = shell("yes error | head -c 5000000 >&2; head -c 3000000 /dev/zero >&2; echo done");
    let (lines, reason) = rest(&mut events).await;
    assert_eq!((lines, reason), (vec!["done".into()], ExitReason::Code(0)));
}

#[tokio::test]
async fn a_slow_session_slows_its_child_and_loses_nothing() {
    let limits = Limits { stdout_queue: 2, ..LIMITS };
    let (_child, mut events) = shell_within("seq 1 200000", &limits);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let (lines, _) = rest(&mut events).await;
    assert_eq!(lines.len(), 200_000);
    assert_eq!(lines[199_999], "200000");
}

#[tokio::test]
async fn a_child_that_does_not_read_makes_the_sender_wait_and_can_still_be_stopped() {
    let (child, _events) = shell_within("sleep 1000", &PATIENT);
    let line = Bytes::from(vec![b'x'; 100_000]);
    let fill = async {
        loop {
            child.send(line.clone()).await.unwrap();
        }
    };
    assert!(tokio::time::timeout(LIMITS.stop_grace, fill).await.is_err(), "the queue is bounded");
    assert_eq!(soon(child.stop()).await, ExitReason::Signal(15));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_child_carries_many_lines_a_second() {
    const LINES: usize = 200_000;
    let limits = Limits { stdin_queue: 1024, stdout_queue: 1024, ..LIMITS };
    let (child, mut events) = shell_within("exec cat", &limits);
    let line = Bytes::from(vec![b'x'; 100]);
    let began = Instant::now();
    let sending = tokio::task::spawn_blocking(move || {
        for _ in 0..LINES {
            tokio::runtime::Handle::current().block_on(child.send(line.clone())).unwrap();
        }
        child
    });
    let mut batch = Vec::new();
    let mut received = 0;
    while received < LINES {
        received += soon(events.recv_many(&mut batch, 1024)).await;
        batch.clear();
    }
    let rate = LINES as f64 / began.elapsed().as_secs_f64();
    println!("{rate:.0} lines/s");
    assert!(cfg!(debug_assertions) || rate > 200_000.0, "{rate:.0} lines/s");
    soon(soon(sending).await.unwrap().stop()).await;
}
