//! Servers that people really wrap, used by the SDKs that people really use: docs/servers.md shows these very commands.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod catalogue;
mod page;
mod sdk;
mod stage;
mod table;
mod through_gateway;

use std::{sync::Mutex, thread};

use catalogue::{Wrapped, all};
use sdk::Sdk;
use stage::Stage;
use table::{Row, Table};

/// So many servers run at a time: each is a program of some weight, and so is what uses it.
const AT_A_TIME: usize = 2;

#[test]
fn both_sdks_use_every_server_that_the_docs_show_and_no_process_is_left() {
    let (waiting, table) = (Mutex::new(all().into_iter()), Mutex::new(Table::default()));
    let next = || waiting.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(wrapped) = next() {
                    let row = used(&wrapped);
                    table.lock().unwrap().add(row);
                }
            });
        }
    });
    let table = table.into_inner().unwrap();
    table.show();
    assert_eq!(table.names(), docs_names());
}

/// `npx`, `sh` and `node` with an event stream open, whose client neither ends the session nor the stream.
#[test]
fn a_client_that_just_ends_leaves_no_process_either() {
    let wrapped = all().into_iter().find(|wrapped| wrapped.name == "everything").unwrap();
    let mut stage = Stage::set(&wrapped);
    let steps = (wrapped.steps)(&stage, Sdk::TypeScript);
    let mut plan = stage.plan(&steps);
    plan["vanishes"] = true.into();
    wrapped.judge(Sdk::TypeScript, &steps, &Sdk::TypeScript.uses(&plan, None));
    stage.is_left_clean();
}

/// By one SDK after the other; both end their session.
fn used(wrapped: &Wrapped) -> Row {
    let mut stage = Stage::set(wrapped);
    let [python, typescript] = [Sdk::Python, Sdk::TypeScript].map(|sdk| {
        let steps = (wrapped.steps)(&stage, sdk);
        let report = sdk.uses(&stage.plan(&steps), None);
        wrapped.judge(sdk, &steps, &report);
        stage.is_left_clean();
        report
    });
    Row::new(wrapped, &python, &typescript)
}

fn docs_names() -> Vec<String> {
    let mut names: Vec<_> = catalogue::commands().into_keys().collect();
    names.sort();
    names
}
