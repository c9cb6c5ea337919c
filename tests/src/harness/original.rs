//! The Python service that auth-server replaces, run as its image runs it, beside nothing but its own variables.

use std::process::Command;

use super::{Process, repository, tool};

/// Listens on `port` of the loopback when this returns. `vars`: what compose passes from `.env`; GITHUB_BASE_URL names
/// the stand-in for GitHub.
pub fn python_service(port: u16, vars: &[(String, String)]) -> Process {
    let folder = repository().join("tests/original");
    let mut serve = Command::new(tool("originals/bin/python"));
    serve.env_clear().envs(vars.iter().cloned()).env("PYTHONUNBUFFERED", "1").env("PYTHONDONTWRITEBYTECODE", "1");
    serve.args(["serve.py", "--host", "127.0.0.1", "--port", &port.to_string()]).current_dir(folder);
    let mut process = Process::start("python-service", &mut serve);
    process.within("start", |log| log.contains("Uvicorn running on").then_some(()));
    process
}
