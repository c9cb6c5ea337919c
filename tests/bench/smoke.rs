//! The benchmark itself runs: every program starts, answers under every load, and ends.

use std::process::Command;

#[test]
fn a_quick_run_has_a_figure_for_every_program_under_every_load() {
    let output = Command::new(env!("CARGO_BIN_EXE_gateway-bench")).arg("--quick").output().expect("it can be started");
    let (table, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{errors}");

    let rows = |program: &str| table.lines().filter(|line| line.starts_with(&format!("| {program} |"))).count();
    for program in ["auth-server, embedded store", "auth-server, Redis", "bare actix handler (limit)"] {
        assert_eq!(rows(program), 4, "three loads and a footprint of {program} in\n{table}");
    }
    assert_eq!(rows("Python original, Redis"), 3, "two loads and a footprint in\n{table}");
    for store in ["embedded store", "embedded store, full", "Redis", "Redis, full"] {
        assert_eq!(rows(store), 4, "four loads of {store} in\n{table}");
    }
    let goals =
        ["≥ 85 %", "≥ 30 ×", "≤ 2", "≤ 50", "≤ 20", "≤ 30", "≤ 110 %", "≥ 90 %", "< 50", "≤ 12", "≤ 2.9 ×", "≤ 15"];
    for goal in goals {
        assert!(table.contains(&format!("| {goal} | ")), "nothing is measured for «{goal}» in\n{table}");
    }
    for way in ["Traefik asks auth-server", "Traefik asks a handler that says yes (limit)"] {
        assert_eq!(rows(way), 2, "two loads of {way} in\n{table}");
    }
    // The other bridges take part where `scripts/setup bench` has installed them.
    assert_eq!(rows("mcp-sidecar"), 6, "five loads and a footprint in\n{table}");
    assert_eq!(rows("Python original"), 5, "four loads and a footprint in\n{table}");
    assert_eq!(rows("direct stdio (limit)"), 4, "{table}");
}
