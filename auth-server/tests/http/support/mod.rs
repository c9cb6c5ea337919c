//! The whole service on a free port with the embedded store, and a client that walks through it.

pub(crate) mod github;
pub(crate) mod journey;

use std::path::Path;

use auth_server::{app::Application, config::Config};
use github::FakeGitHub;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub(crate) struct Service {
    pub(crate) url: String,
    pub(crate) github: FakeGitHub,
    pub(crate) http: reqwest::Client,
    data: TempDir,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(more: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), more).await
    }

    async fn start_in(data: TempDir, more: &[(&str, &str)]) -> Self {
        let github = FakeGitHub::start();
        let vars = [
            ("BASE_DOMAIN", "example.com"),
            ("GITHUB_CLIENT_ID", "github-id"),
            ("GITHUB_CLIENT_SECRET", "github-secret"),
            ("GITHUB_BASE_URL", &github.url),
            ("GITHUB_API_URL", &github.url),
            ("ALLOWED_GITHUB_USERS", "octocat,broken,slow"),
            ("DATA_DIR", data.path().to_str().unwrap()),
        ];
        let vars = vars.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut config = Config::from_vars(vars.collect::<Vec<_>>()).unwrap();
        config.port = 0;
        let application = Application::build(config).await.unwrap();
        let url = format!("http://{}", application.addr());
        let stop = CancellationToken::new();
        let running = tokio::task::spawn_local(application.run_until_stopped(stop.clone()));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { url, github, http, data, stop, running }
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
        self.stop.cancel();
    }

    pub(crate) async fn stop(self) {
        self.end().await;
    }

    /// The same data, another process's worth of memory.
    pub(crate) async fn restart(self) -> Self {
        Self::start_in(self.end().await, &[]).await
    }

    async fn end(self) -> TempDir {
        self.stop.cancel();
        drop(self.http);
        self.running.await.unwrap().unwrap();
        self.github.stop().await;
        self.data
    }
}
