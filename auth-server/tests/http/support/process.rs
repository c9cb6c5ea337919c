//! The real program: its own process, log and signals.

use std::{
    fs::File,
    io::PipeWriter,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_auth-server");
const PATIENCE: Duration = Duration::from_secs(60);

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
        Self::spawn(command(vars), dir, stderr.into(), log).await
    }

    /// No file of its may grow beyond this: the disk is full.
    pub(crate) async fn start_on_small_disk(vars: &[(String, String)], dir: &Path, bytes: u64) -> Self {
        let log = dir.join("stderr.log");
        let stderr = File::create(&log).unwrap();
        let mut limited = Command::new("sh");
        let script = "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"";
        limited.args(["-c", script, &(bytes / 512).to_string(), PROGRAM, "--port", "0"]);
        limited.env_clear().envs(vars.iter().cloned());
        Self::spawn(limited, dir, stderr.into(), log).await
    }

    /// With this standard error. What it logs is read from `LOG_FILE=auth.log`.
    pub(crate) async fn start_heard_by(stderr: PipeWriter, vars: &[(String, String)], dir: &Path) -> Self {
        Self::spawn(command(vars), dir, stderr.into(), dir.join("auth.log")).await
    }

    async fn spawn(mut command: Command, dir: &Path, stderr: Stdio, log: PathBuf) -> Self {
        let child = command.current_dir(dir).stdin(Stdio::null()).stderr(stderr).spawn().unwrap();
        let mut program = Self { url: String::new(), child, log };
        program.url = format!("http://{}", program.logged("listening", "addr").await);
        program
    }

    /// Every line it has logged, without the one that it may be writing.
    pub(crate) fn log(&self) -> String {
        let mut log = String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned();
        log.truncate(log.rfind('\n').map_or(0, |end| end + 1));
        log
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

    /// How it ends, which it has to.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn end_well(&mut self) {
        self.signal("TERM");
        let status = self.ended().await;
        assert!(status.success(), "{status}:\n{}", self.log());
    }
}

fn command(vars: &[(String, String)]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["--port", "0"]).env_clear().envs(vars.iter().cloned());
    command
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}
