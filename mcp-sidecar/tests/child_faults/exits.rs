//! How a child may begin and end.

use std::io::ErrorKind;

use mcp_sidecar::child::{Command, ExitReason, Gone};

use crate::support::{LIMITS, command, eventually, line, next, rest, shell, soon, spawn, vanished};

#[tokio::test]
async fn a_missing_program_is_an_error_that_says_so() {
    let fault = spawn(&command("/no/such/program", &[]), &LIMITS).unwrap_err();
    assert_eq!(fault.kind(), ErrorKind::NotFound);
    let fault = spawn(&command("/etc/passwd", &[]), &LIMITS).unwrap_err();
    assert_eq!(fault.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test]
async fn a_child_that_exits_at_once_is_reported_with_its_status() {
    let (child, mut events) = shell("exit 7");
    assert_eq!(rest(&mut events).await, (Vec::new(), ExitReason::Code(7)));
    assert_eq!(soon(child.stop()).await, ExitReason::Code(7), "stopping what has ended tells how");
}

#[tokio::test]
async fn a_child_that_exits_during_a_call_is_reported_after_what_it_said() {
    let (child, mut events) = shell("read call; echo half; exit 1");
    child.send("call".into()).await.unwrap();
    assert_eq!(rest(&mut events).await, (vec!["half".into()], ExitReason::Code(1)));
    let gone = soon(async {
        while child.send("more".into()).await.is_ok() {
            tokio::task::yield_now().await;
        }
        child.send("more".into()).await
    });
    assert_eq!(gone.await, Err(Gone));
}

#[tokio::test]
async fn a_crash_is_reported_with_its_signal() {
    let (_child, mut events) = shell("kill -SEGV $$");
    let (_, reason) = rest(&mut events).await;
    assert_eq!(reason, ExitReason::Signal(11));
    assert_eq!(reason.to_string(), "killed by SIGSEGV");
}

#[tokio::test]
async fn a_child_that_closes_its_stdout_but_lives_is_ended() {
    let (child, mut events) = shell("echo bye; exec >/dev/null; while :; do sleep 1000; done");
    let id = child.id();
    assert_eq!(rest(&mut events).await, (vec!["bye".into()], ExitReason::StdoutClosed));
    vanished(id, "");
}

#[tokio::test]
async fn a_child_that_closes_its_stdin_but_lives_is_ended_with_the_first_line_that_cannot_reach_it() {
    let (child, mut events) = shell("exec </dev/null; echo bye; while :; do sleep 1000; done");
    let id = child.id();
    assert_eq!(line(&mut events).await, "bye");
    child.send("anybody?".into()).await.unwrap();
    assert_eq!(rest(&mut events).await, (Vec::new(), ExitReason::StdinClosed));
    vanished(id, "");
}

#[tokio::test]
async fn a_hanging_child_is_silent_and_stops_like_any_other() {
    let (child, mut events) = shell("echo up; kill -STOP $$");
    assert_eq!(line(&mut events).await, "up");
    let stat = format!("/proc/{}/stat", child.id());
    eventually("it hangs", || std::fs::read_to_string(&stat).unwrap().contains(") T "));
    assert_eq!(soon(child.stop()).await, ExitReason::Signal(9));
    assert!(matches!(next(&mut events).await, Some(mcp_sidecar::child::FromChild::Exited(_))));
}

#[tokio::test]
async fn a_child_inherits_the_environment_and_nothing_else() {
    let mut shell =
        command("sh", &["-c", "ls /proc/self/fd; echo $TOKEN $PATH; cat /proc/self/stat /proc/self/status"]);
    shell.env.push(("TOKEN".into(), "secret".into()));
    let kept_open = std::fs::File::open("/dev/null").unwrap();
    nix::fcntl::fcntl(&kept_open, nix::fcntl::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    let (child, mut events) = spawn(&shell, &LIMITS).unwrap();
    let id = child.id();
    let (lines, _) = rest(&mut events).await;
    let lines: Vec<_> = lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
    // The fourth is the directory that ls is reading.
    assert_eq!(lines[..4], ["0", "1", "2", "3"]);
    assert!(lines[4].starts_with("secret /"), "{}", lines[4]);
    let kinship: Vec<_> = lines[5].split(' ').skip(4).take(2).collect();
    assert_eq!(kinship, [id.to_string(), id.to_string()], "group and session are the child's own");
    for signals in ["SigBlk:\t", "SigIgn:\t", "SigCgt:\t"] {
        let mask = lines.iter().find_map(|line| line.strip_prefix(signals)).unwrap();
        // 32 and 33 are the C library's own: it hands them out ignored and lets nobody change them.
        assert_eq!(u64::from_str_radix(mask, 16).unwrap() & !(3 << 31), 0, "{signals}{mask}");
    }
}

#[tokio::test]
async fn an_argument_with_a_zero_byte_is_refused_and_not_cut() {
    let odd = Command { program: "true".into(), args: vec!["a\0b".into()], env: Vec::new() };
    assert_eq!(spawn(&odd, &LIMITS).unwrap_err().kind(), ErrorKind::InvalidInput);
}
