//! The whole service on a free port with the embedded store, and a client that walks through it.

pub(crate) mod browser;
pub(crate) mod github;
pub(crate) mod journey;
pub(crate) mod process;
pub(crate) mod signer;

use std::{io::PipeWriter, path::Path, time::Duration};

use auth_server::{app::Application, config::Config};
use github::FakeGitHub;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub(crate) struct Service {
    pub(crate) url: String,
    pub(crate) github: FakeGitHub,
    pub(crate) http: reqwest::Client,
    data: TempDir,
    running: Running,
}

/// Inside the test, which is quick; or the real program, whose log, signals and numbers are its own.
enum Running {
    Task { stop: CancellationToken, ended: tokio::task::JoinHandle<std::io::Result<()>> },
    Program(process::Program),
}

/// After a stop in the same process, actix' workers let go of the store a moment later than the server says.
async fn build(config: Config) -> Application {
    let built = async {
        loop {
            match Application::build(config.clone()).await {
                Err(fault) if fault.to_string().contains("in use by another process") => tokio::task::yield_now().await,
                built => return built.unwrap(),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), built).await.expect("the store becomes free")
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(more: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), more).await
    }

    pub(crate) async fn start_in(data: TempDir, more: &[(&str, &str)]) -> Self {
        let github = FakeGitHub::start();
        let mut config = Config::from_vars(vars(&github, &data, more)).unwrap();
        config.port = 0;
        let application = build(config).await;
        let url = format!("http://{}", application.addr());
        let stop = CancellationToken::new();
        let ended = tokio::task::spawn_local(application.run_until_stopped(stop.clone()));
        Self { url, github, http: http(), data, running: Running::Task { stop, ended } }
    }

    /// The program itself.
    pub(crate) async fn start_program(more: &[(&str, &str)]) -> Self {
        let (data, github) = (tempfile::tempdir().unwrap(), FakeGitHub::start());
        let program = process::Program::start(&vars(&github, &data, more), data.path()).await;
        Self { url: program.url.clone(), github, http: http(), data, running: Running::Program(program) }
    }

    /// The program with this standard error.
    pub(crate) async fn start_heard_by(stderr: PipeWriter, more: &[(&str, &str)]) -> Self {
        let (data, github) = (tempfile::tempdir().unwrap(), FakeGitHub::start());
        let program = process::Program::start_heard_by(stderr, &vars(&github, &data, more), data.path()).await;
        Self { url: program.url.clone(), github, http: http(), data, running: Running::Program(program) }
    }

    /// The program anew, on the same data, with files that cannot grow beyond this.
    pub(crate) async fn resume_with_files_up_to(&mut self, bytes: u64) {
        let vars = vars(&self.github, &self.data, &[]);
        let program = process::Program::start_on_small_disk(&vars, self.data.path(), bytes).await;
        self.url.clone_from(&program.url);
        self.running = Running::Program(program);
    }

    pub(crate) fn program(&mut self) -> &mut process::Program {
        match &mut self.running {
            Running::Program(program) => program,
            Running::Task { .. } => panic!("started inside the test"),
        }
    }

    /// Everything that the program has logged of what was done so far.
    pub(crate) async fn log(&mut self) -> String {
        let last = format!("the-last-of-{}-bytes", self.program().log().len());
        self.http.get(self.at("/jwks")).header("x-request-id", &last).send().await.unwrap();
        self.program().sees(&last, |program| Some(program.log()).filter(|log| log.contains(&last))).await
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) fn data_dir(&self) -> &Path {
        self.data.path()
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(self.at(path)).send().await.unwrap()
    }

    pub(crate) fn begin_stop(&self) {
        match &self.running {
            Running::Task { stop, .. } => stop.cancel(),
            Running::Program(program) => program.signal("TERM"),
        }
    }

    pub(crate) async fn stop(self) {
        self.end().await;
    }

    /// The same data, another process's worth of memory.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(&[]).await
    }

    pub(crate) async fn restart_with(self, more: &[(&str, &str)]) -> Self {
        Self::start_in(self.end().await, more).await
    }

    async fn end(self) -> TempDir {
        drop(self.http);
        match self.running {
            Running::Task { stop, ended } => {
                stop.cancel();
                ended.await.unwrap().unwrap();
            }
            Running::Program(mut program) => program.end_well().await,
        }
        self.github.stop().await;
        self.data
    }
}

fn vars(github: &FakeGitHub, data: &TempDir, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let vars = [
        ("BASE_DOMAIN", "example.com"),
        ("GITHUB_CLIENT_ID", "github-id"),
        ("GITHUB_CLIENT_SECRET", "github-secret"),
        ("GITHUB_BASE_URL", &github.url),
        ("GITHUB_API_URL", &github.url),
        ("ALLOWED_GITHUB_USERS", "octocat,broken,slow"),
        ("DATA_DIR", data.path().to_str().unwrap()),
    ];
    vars.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}
