//! The real program: its own process, log and signals.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// Killed when dropped, unless it has ended.
pub(crate) struct Program {
    pub(crate) url: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    pub(crate) async fn start(vars: &[(String, String)], dir: &Path) -> Self {
        let log = dir.join("stderr.log");
        let stderr = File::create(&log).unwrap();
        Self::spawn(vars, dir, stderr.into(), log).await
    }

    /// Nobody reads its standard error: writing there fails. What is left is `LOG_FILE=auth.log`.
    pub(crate) async fn start_unheard(vars: &[(String, String)], dir: &Path) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Self::spawn(vars, dir, writer.into(), dir.join("auth.log")).await
    }

    async fn spawn(vars: &[(String, String)], dir: &Path, stderr: Stdio, log: PathBuf) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_auth-server"));
        command.args(["--port", "0"]).env_clear().envs(vars.iter().cloned()).current_dir(dir);
        let child = command.stdin(Stdio::null()).stderr(stderr).spawn().unwrap();
        let mut program = Self { url: String::new(), child, log };
        program.url = format!("http://{}", program.logged("listening", "addr").await);
        program
    }

    /// Everything it has logged.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The value of `key` on the line with `message`, in either format, as soon as it is there.
    pub(crate) async fn logged(&mut self, message: &str, key: &str) -> String {
        let keys = [format!(" {key}="), format!("\"{key}\":\"")];
        let find = |log: &str| {
            let line = log.lines().find(|line| line.contains(message))?;
            let (_, rest) = keys.iter().find_map(|key| line.split_once(key.as_str()))?;
            Some(rest.split([' ', '"', ',', '\n']).next()?.to_owned())
        };
        self.sees(&format!("{message}: {key}"), |program| find(&program.log())).await
    }

    /// Looks until there is something.
    pub(crate) async fn sees<T>(&mut self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "{what} ({ended:?}):\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// «TERM», «KILL», «HUP»
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    pub(crate) async fn ended_well(mut self) {
        let begun = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end:\n{}", self.log());
        };
        assert!(status.success(), "{status}:\n{}", self.log());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}
