//! The official SDKs as users: `tests/clients` has a script for each that takes a plan and prints a report.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use gateway_tests::harness::{repository, tool};
use serde::Deserialize;
use serde_json::Value;

/// The scripts have deadlines of their own for each step; this one is for a script that hangs.
const PATIENCE: &str = "120";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sdk {
    Python,
    TypeScript,
}

/// What a script says that it has seen.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The revision that was agreed on.
    pub(crate) protocol: String,
    pub(crate) tools: Vec<String>,
    pub(crate) prompts: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) templates: Vec<String>,
    /// One for each step.
    pub(crate) answers: Vec<String>,
    /// What the server has asked its client for.
    pub(crate) asked: Vec<String>,
    pub(crate) progress: Vec<f64>,
    #[serde(skip)]
    pub(crate) took: Duration,
}

impl Sdk {
    /// `authority`: whom to trust, when the plan's URL is that of a gateway.
    pub(crate) fn uses(self, plan: &Value, authority: Option<&Path>) -> Report {
        let mut run = Command::new("timeout");
        run.arg(PATIENCE).args(self.program()).arg(plan.to_string()).stdin(Stdio::null());
        run.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(repository().join("tests/clients"));
        if let Some(authority) = authority {
            run.env("GATEWAY_CA", authority).env("NODE_EXTRA_CA_CERTS", authority);
        }
        let began = Instant::now();
        let output = run.output().unwrap();
        let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{self:?}: {}: {complained}\n{said}", output.status);
        let report: Report = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error} in {said}"));
        Report { took: began.elapsed(), ..report }
    }

    fn program(self) -> Vec<std::ffi::OsString> {
        match self {
            Self::Python => vec![tool("venv/bin/python").into(), "python/use.py".into()],
            Self::TypeScript => {
                tool("npm/node_modules/@modelcontextprotocol/sdk");
                let node = tool("node/bin/node").into();
                vec![node, "--require".into(), "./node/localhost.cjs".into(), "typescript/use.mts".into()]
            }
        }
    }
}
