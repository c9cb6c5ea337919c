//! The suite's `auth/*` scenarios test clients against a server of its own. Turned round, each expects something of a
//! server: here is which of our tests shows it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gateway_tests::harness::{repository, tool};

use crate::stands::node;
use crate::suite::PACKAGE;

#[derive(Debug)]
enum Shown {
    /// By the test of this name.
    By(&'static str),
    /// Nothing is asked of a server that is in order.
    ClientsOnly(&'static str),
    /// An extension that the gateway does not speak.
    NotOffered(&'static str),
}

use Shown::{By, ClientsOnly, NotOffered};

const SCENARIOS: &[(&str, Shown)] = &[
    ("metadata-default", By("every_mcp_host_describes_itself_and_no_other_host_does")),
    ("metadata-var1", By("the_metadata_url_has_the_path_inserted")),
    ("metadata-var2", By("discovery_names_one_issuer_everywhere")),
    ("metadata-var3", By("discovery_is_public_on_every_host_and_names_one_issuer")),
    ("metadata-issuer-mismatch", By("the_issuer_is_https_without_a_trailing_slash")),
    ("2025-03-26-oauth-metadata-backcompat", By("discovery_is_public_on_every_host_and_names_one_issuer")),
    // Metadata is on every MCP host, so that no client has to guess endpoints.
    ("2025-03-26-oauth-endpoint-fallback", By("discovery_is_public_on_every_host_and_names_one_issuer")),
    ("resource-mismatch", By("resource_is_exactly_the_url_of_the_server")),
    ("basic-cimd", By("a_client_that_describes_itself_goes_the_whole_way_without_registering")),
    ("pre-registration", By("a_created_client_is_stored_and_its_secret_is_told_once")),
    ("scope-from-www-authenticate", By("the_first_challenge_names_all_that_the_service_asks")),
    ("scope-from-scopes-supported", By("a_resource_has_a_scope_of_its_own_and_never_offline_access")),
    ("scope-omitted-when-undefined", By("state_is_optional_and_scope_has_a_default")),
    ("scope-step-up", By("a_client_steps_up_from_403_to_the_union_of_scopes_to_200")),
    ("scope-retry-limit", ClientsOnly("a server may go on asking for a scope")),
    ("offline-access-scope", By("every_url_starts_with_the_issuer")),
    ("offline-access-not-supported", ClientsOnly("ours supports it")),
    ("token-endpoint-auth-basic", By("a_client_with_a_secret_may_use_basic_or_post")),
    ("token-endpoint-auth-post", By("a_client_with_a_secret_may_use_basic_or_post")),
    ("token-endpoint-auth-none", By("a_public_client_sends_no_secret")),
    ("iss-supported", By("mix_up_is_told_by_iss_on_every_answer")),
    ("iss-normalized", By("discovery_names_one_issuer_everywhere")),
    ("iss-not-advertised", ClientsOnly("ours advertises it")),
    ("iss-supported-missing", ClientsOnly("ours sends it")),
    ("iss-wrong-issuer", ClientsOnly("an attacker's answer")),
    ("iss-unexpected", ClientsOnly("an attacker's answer")),
    ("authorization-server-migration", ClientsOnly("the gateway has one authorization server")),
    ("client-credentials-jwt", By("a_machine_may_sign_instead_of_keeping_a_secret")),
    ("client-credentials-basic", By("a_machine_gets_a_token_for_itself_and_reaches_its_service")),
    ("enterprise-managed-authorization", NotOffered("the identity provider is GitHub, which grants no assertions")),
    ("wif-jwt-bearer", NotOffered("the identity provider is GitHub, which grants no assertions")),
    ("dpop", NotOffered("MCP 2026-07-28 asks for bearer tokens")),
    ("dpop-nonce", NotOffered("MCP 2026-07-28 asks for bearer tokens")),
];

#[test]
fn every_client_scenario_about_authorization_is_turned_round() {
    let output = node().arg(tool(&format!("{PACKAGE}/dist/index.js"))).arg("list").output().expect("node runs");
    let list = String::from_utf8(output.stdout).expect("text");
    let listed: BTreeSet<_> = list.lines().filter_map(|line| line.trim().strip_prefix("- auth/")).collect();
    let listed: BTreeSet<_> = listed.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(SCENARIOS.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>(), listed);
}

#[test]
fn every_test_that_shows_a_scenario_exists_and_every_other_has_a_reason() {
    let mut code = String::new();
    for folder in ["auth-server/src", "auth-server/tests", "tests/e2e"] {
        read_rust(&repository().join(folder), &mut code);
    }
    let in_vain = |shown: &Shown| match shown {
        By(test) => !code.contains(&format!("fn {test}(")),
        ClientsOnly(why) | NotOffered(why) => why.is_empty(),
    };
    let missing: Vec<_> = SCENARIOS.iter().filter(|(_, shown)| in_vain(shown)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

fn read_rust(path: &Path, code: &mut String) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder of this repository") {
            read_rust(&entry.expect("readable").path(), code);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        code.push_str(&fs::read_to_string(path).expect("a file of this repository"));
    }
}
