//! The benchmark itself runs: every program starts, answers under every load, and ends.

use std::process::Command;

#[test]
fn a_quick_run_has_a_figure_for_every_program_under_every_load() {
    let output = Command::new(env!("CARGO_BIN_EXE_gateway-bench")).arg("--quick").output().expect("it can be started");
    let (table, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{errors}");

    let rows = |program: &str| table.lines().filter(|line| line.starts_with(&format!("| {program} |"))).count();
    for program in ["auth-server, embedded store", "auth-server, Redis", "Python original, Redis"] {
        assert_eq!(rows(program), 3, "two loads and a footprint of {program} in\n{table}");
    }
    for program in ["mcp-sidecar", "Python original"] {
        assert_eq!(rows(program), 3, "two loads and a footprint of {program} in\n{table}");
    }
    assert_eq!(rows("direct stdio (limit)"), 2, "{table}");
}
