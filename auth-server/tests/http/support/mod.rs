//! The whole service on a free port with the embedded store, and a client that walks through it.

pub(crate) mod github;
pub(crate) mod journey;

use auth_server::{app::Application, config::Config};
use github::FakeGitHub;
use tokio_util::sync::CancellationToken;

pub(crate) struct Service {
    pub(crate) url: String,
    pub(crate) github: FakeGitHub,
    pub(crate) http: reqwest::Client,
    data: tempfile::TempDir,
    stop: CancellationToken,
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(more: &[(&str, &str)]) -> Self {
        let github = FakeGitHub::start();
        let data = tempfile::tempdir().unwrap();
        let vars = [
            ("BASE_DOMAIN", "example.com"),
            ("GITHUB_CLIENT_ID", "github-id"),
            ("GITHUB_CLIENT_SECRET", "github-secret"),
            ("GITHUB_BASE_URL", &github.url),
            ("GITHUB_API_URL", &github.url),
            ("ALLOWED_GITHUB_USERS", "octocat,broken"),
            ("DATA_DIR", data.path().to_str().unwrap()),
        ];
        let vars = vars.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut config = Config::from_vars(vars.collect::<Vec<_>>()).unwrap();
        config.port = 0;
        let application = Application::build(config).await.unwrap();
        let url = format!("http://{}", application.addr());
        let stop = CancellationToken::new();
        tokio::task::spawn_local(application.run_until_stopped(stop.clone()));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { url, github, http, data, stop }
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(self.at(path)).send().await.unwrap()
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.github.stop().await;
        drop(self.data);
    }
}
