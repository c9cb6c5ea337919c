//! The soak itself, for as long as every run of the tests can afford; `just soak` has ten minutes.

use std::process::Command;

/// Twice what glibc's allocator keeps here; the one that images have keeps a fourth of that.
const KIB_PER_THREAD: &str = "384";

#[test]
fn abandoned_sessions_and_faulty_children_leave_no_process_descriptor_thread_or_memory() {
    let mut soak = Command::new(env!("CARGO_BIN_EXE_gateway-soak"));
    let output =
        soak.args(["--seconds", "15", "--kib-per-thread", KIB_PER_THREAD]).output().expect("it can be started");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}
