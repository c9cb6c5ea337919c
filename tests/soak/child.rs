//! The sidecar under test, and the children that it gets: most are well, some have a fault from the start on.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use gateway_tests::harness::{Family, Process, binary, descendants, free_port, within};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::sample::Sample;

/// All are well until a file says otherwise: which eras the server speaks is found out once, and must be right. Then
/// which fault one has is decided by its process id: the last two digits are as good as chance.
const CHILDREN: &str = r#"[ -e "$1" ] || exec "$0" --era dual
case $(($$ % 100)) in
0) exec yes '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"flood"}}' ;;
1|2) exec sleep 86400 ;;
3|4|5) exec "$0" --era dual --crash-at-start ;;
6|7|8|9) exec "$0" --era dual --ignore-eof --ignore-term --tree ;;
1?) exec "$0" --era dual --ignore-eof ;;
2?) exec "$0" --era dual --tree ;;
3[0-4]) exec "$0" --era dual --flood-stderr 300000 ;;
3[5-9]) setsid sleep 86400 & exec "$0" --era dual ;;
4[0-4]) exec "$0" --era dual --slow-start-ms 300 ;;
4[5-7]) head -c 3000000 /dev/zero; echo; exec "$0" --era dual ;;
*) exec "$0" --era dual ;;
esac"#;
/// Short, so that all that takes time in life happens often: idle ends, calls that time out, evictions.
const LIMITS: [&str; 14] = [
    "--timeout=2",
    "--call-timeout=5",
    "--stop-timeout=1",
    "--max-sessions=200",
    "--max-calls=16",
    "--max-line=1000000",
    "--max-body=1000000",
    "--replay-bytes=100000",
    "--log-level=warn",
    "--host=127.0.0.1",
    "--",
    "sh",
    "-c",
    CHILDREN,
];
/// Nothing changes for so long: it is quiet.
const STILL_FOR: Duration = Duration::from_secs(2);
/// What a client has left is idle for two seconds; with `--warm` there are always some.
const ENDS_WITHIN: Duration = Duration::from_secs(20);

pub(crate) struct Soaked {
    /// Children fail once it exists.
    fail: PathBuf,
    _folder: TempDir,
    process: Process,
    family: Family,
    pub(crate) url: String,
    pub(crate) port: u16,
}

impl Soaked {
    /// `options` are the sidecar's own, besides the limits.
    pub(crate) fn start(sidecar: &Path, options: &[String]) -> Self {
        let port = free_port();
        let mut run = Command::new(sidecar);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let fail = folder.path().join("fail");
        run.arg(format!("--port={port}")).args(options).args(LIMITS).arg(binary("stdio-fixture")).arg(&fail);
        let family = Family::of(&mut run);
        let process = Process::start("mcp-sidecar", &mut run);
        within(Duration::from_secs(30), "the sidecar does not listen", || TcpStream::connect(("127.0.0.1", port)).ok());
        Self { fail, _folder: folder, process, family, url: format!("http://127.0.0.1:{port}/mcp"), port }
    }

    pub(crate) fn let_children_fail(&self) {
        fs::write(&self.fail, "").expect("a file in a folder of ours");
    }

    pub(crate) fn pid(&self) -> Pid {
        self.process.pid()
    }

    /// Once it has nothing open, unless it always has, and processes, descriptors and threads have been the same for a
    /// while.
    pub(crate) fn quiet(&self, has_open: impl Fn() -> bool) -> Sample {
        let began = Instant::now();
        while has_open() && began.elapsed() < ENDS_WITHIN {
            sleep(Duration::from_millis(100));
        }
        let (mut since, mut last) = (Instant::now(), Sample::of(self.pid()));
        while since.elapsed() < STILL_FOR {
            sleep(Duration::from_millis(100));
            let now = Sample::of(self.pid());
            if now.counts() != last.counts() {
                since = Instant::now();
            }
            last = now;
        }
        last
    }

    /// Waits until it has nothing open and is as it was, for so long at most. A session whose process has crashed has
    /// none for a while and is not over.
    pub(crate) fn quiet_again(
        &self,
        patience: Duration,
        has_open: impl Fn() -> bool,
        is_back: impl Fn(&Sample) -> bool,
    ) -> Sample {
        let began = Instant::now();
        loop {
            let is_over = !has_open();
            let now = Sample::of(self.pid());
            if (is_over && is_back(&now)) || began.elapsed() > patience {
                return now;
            }
            sleep(Duration::from_millis(200));
        }
    }

    /// The command lines of all that is below it, and its connections as /proc/net/tcp has them.
    pub(crate) fn holds(&self) -> Vec<String> {
        let processes =
            descendants(self.pid()).into_iter().map(|process| format!("{} {}", process.pid, process.command));
        let connections = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        let ours = format!(":{:04X} ", self.port);
        let connections = connections.lines().filter(|line| line.contains(&ours)).map(str::to_owned);
        processes.chain(connections).collect()
    }

    /// SIGTERM: whether it ended well, and who of all its processes is still there.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        let status = self.process.terminate();
        let left = self.family.members();
        if !status.success() || !left.is_empty() {
            return Err(format!("ended with {status}, leaving {left:?}"));
        }
        Ok(())
    }
}
