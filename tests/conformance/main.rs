//! The official conformance suite, in every revision: against fixtures that the TypeScript SDKs serve over HTTP
//! themselves, against the same fixtures over stdio behind the sidecar, and behind the whole gateway. What fails is in
//! `expected-failures.yaml`, with its reason, or is a fault.
//!
//! And its authorization mode against auth-server: [`authorization`], with what it expects of clients [`turned_round`].
//!
//! `scripts/conformance` shows the table and keeps it in docs/conformance.md; results stay in `artifacts/conformance`.

mod authorization;
mod clients;
mod expected;
mod front;
mod report;
mod runs;
mod stands;
mod stdio_fixture;
mod suite;
mod turned_round;

use std::fs;

use gateway_tests::harness::{artifacts, repository};
use stands::Stands;

#[test]
fn what_passes_natively_passes_through_the_sidecar_and_the_gateway_in_every_revision() {
    let runs = runs::all(&Stands::start());
    println!("{}", report::for_terminal(&runs));
    let surprises = expected::surprises(&expected::entries(), &runs);
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

#[test]
fn every_expected_failure_has_a_reason() {
    let unexplained = expected::entries().into_iter().filter(|entry| entry.reason.is_empty()).collect::<Vec<_>>();
    assert!(unexplained.is_empty(), "no reason given for {unexplained:?}");
}

#[test]
fn the_documentation_shows_what_passes_and_why_the_rest_does_not() {
    let table = report::for_docs(&expected::entries());
    fs::write(artifacts("conformance").join("table.md"), &table).expect("artifacts is writable");
    let documented = fs::read_to_string(repository().join("docs/conformance.md")).expect("docs/conformance.md");
    assert!(documented.contains(table.trim_end()), "docs/conformance.md shows another table: run scripts/conformance");
}
