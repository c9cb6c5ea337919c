//! The soak itself, for as long as every run of the tests can afford; `just soak` has ten minutes.

use std::process::Command;

#[test]
fn abandoned_sessions_and_faulty_children_leave_no_process_descriptor_thread_or_memory() {
    let mut soak = Command::new(env!("CARGO_BIN_EXE_gateway-soak"));
    let output = soak.args(["--seconds", "15"]).output().expect("it can be started");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}
