//! The official conformance suite, twice: against a fixture that the TypeScript SDK serves over HTTP itself, and against
//! the same fixture over stdio behind the sidecar. The sidecar must lose nothing but what `expected-failures.yaml` lists.
//!
//! And its authorization mode against auth-server: [`authorization`], with what it expects of clients [`turned_round`].
//!
//! `scripts/conformance` shows the table; results stay in `artifacts/conformance`.

mod authorization;
mod baseline;
mod served;
mod stdio_fixture;
mod suite;
mod turned_round;

use served::Served;
use suite::{Outcome, Run, Suite};

const REVISION: &str = "2025-11-25";

#[test]
fn the_sidecar_passes_all_that_the_native_fixture_passes() {
    let suite = Suite::new(REVISION);
    let native = suite.run("native", &Served::native(), None);
    let sidecar = suite.run("sidecar", &Served::by_sidecar(), Some(&baseline::path()));
    let required = suite.required();
    println!("{}", table(&required, &native, &sidecar));

    assert_eq!(native.passed(&required), required.len(), "the fixture itself does not pass: {}", native.log.display());
    assert!(
        sidecar.accepted,
        "a scenario failed that is not in expected-failures.yaml, or one in it passed: {}",
        sidecar.log.display()
    );
    let missing = required.iter().filter(|name| sidecar.outcome(name) == Outcome::NotRun).collect::<Vec<_>>();
    assert!(missing.is_empty(), "the suite did not run {missing:?}");
}

#[test]
fn every_expected_failure_has_a_reason() {
    let unexplained = baseline::entries().into_iter().filter(|entry| entry.reason.is_empty()).collect::<Vec<_>>();
    assert!(unexplained.is_empty(), "no reason given for {unexplained:?}");
}

fn table(required: &[String], native: &Run, sidecar: &Run) -> String {
    let row = |name: &str, left: &str, right: &str| format!("{name:<34} {left:<8} {right}\n");
    let scenario = |name: &String| row(name, native.outcome(name).word(), sidecar.outcome(name).word());
    let passed = |run: &Run| format!("{}/{}", run.passed(required), required.len());
    let others: String = sidecar.scenarios().filter(|name| !required.contains(name)).map(scenario).collect();

    row(&format!("scenario ({REVISION})"), "native", "sidecar")
        + &required.iter().map(scenario).collect::<String>()
        + &row("passed", &passed(native), &passed(sidecar))
        + &format!("run by the suite, but not required by the revision:\n{others}")
}
