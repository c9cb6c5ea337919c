//! A certificate for `*.localhost` names, by the very script that the demo uses (openssl behind it).

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use super::repository;

#[derive(Debug)]
pub struct Certificate {
    folder: TempDir,
}

impl Certificate {
    /// For `auth.localhost` and each service's host.
    pub fn make(services: &[String]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let script =
            "set -e; . scripts/lib/common.sh; LOGS=$1; . scripts/lib/certificate.sh; shift; make_certificate \"$@\"";
        let mut bash = Command::new("bash");
        bash.args(["-c", script, "certificate"]).arg(folder.path()).arg(folder.path()).args(services);
        let output = bash.current_dir(repository()).stdin(Stdio::null()).output().expect("bash can be run");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && folder.path().join("cert.pem").exists(), "no certificate: {said}");
        Self { folder }
    }

    /// The authority that clients must trust.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub fn chain(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }
}
