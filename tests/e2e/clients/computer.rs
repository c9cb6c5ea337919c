//! Someone's computer: a home folder, a browser that is told what to open, and names that resolve.

use std::{fs, path::PathBuf, process::Command};

use gateway_tests::{
    client::Page,
    harness::{Gateway, Process, Setup, StoreKind, repository, tool},
};
use tempfile::TempDir;
use url::Url;

#[derive(Debug)]
pub(crate) struct Computer {
    pub(crate) gateway: Gateway,
    home: TempDir,
}

impl Computer {
    /// With a gateway in front of one official stdio server, `everything`.
    pub(crate) fn start() -> Self {
        let server = "npm/node_modules/@modelcontextprotocol/server-everything/dist/index.js";
        let command = ["node/bin/node", server].map(|part| tool(part).to_string_lossy().into_owned());
        let gateway = Setup::new(StoreKind::Redis).sidecar("everything", command).start();
        Self { gateway, home: tempfile::tempdir().unwrap() }
    }

    /// What docs/clients.md shows, with this computer's server in the place of the example.
    pub(crate) fn shown(&self, text: &str) -> String {
        text.replace("https://everything.example.com/mcp", &self.gateway.mcp("everything"))
    }

    /// Every access token that was issued is no good from now on; logins are.
    pub(crate) fn end_access_tokens(&self) {
        let redis = self.gateway.redis.as_ref().expect("the store is Redis");
        for key in redis.keys("oauth:token:*") {
            assert_eq!(redis.cli(&["DEL", &key]), "1");
        }
    }

    /// One of the npm programs, by its bin name.
    pub(crate) fn node(&self, program: &str) -> Command {
        let mut node = self.run(tool("node/bin/node"));
        node.arg(tool(&format!("npm/node_modules/.bin/{program}")));
        node
    }

    /// With this computer's home, browser, names and trusted authority.
    pub(crate) fn run(&self, program: PathBuf) -> Command {
        let (clients, authority) = (repository().join("tests/clients"), self.gateway.certificate.authority());
        let path = [clients.join("opener"), tool("node/bin"), "/usr/bin".into(), "/bin".into()];
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("BROWSER", clients.join("opener/xdg-open"))
            .env("NODE_OPTIONS", format!("--require={}", clients.join("node/localhost.cjs").display()))
            .env("NODE_EXTRA_CA_CERTS", &authority)
            .env("SSL_CERT_FILE", &authority)
            .env("PYTHONPATH", clients.join("python/site"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("NO_COLOR", "1")
            .current_dir(self.home.path());
        command
    }

    /// A file in the folder that programs start in.
    pub(crate) fn keep(&self, name: &str, content: &[u8]) {
        fs::write(self.home.path().join(name), content).unwrap();
    }

    /// How often a program has sent the person to log in.
    pub(crate) fn logins(&self) -> usize {
        fs::read_to_string(self.home.path().join("opened")).unwrap_or_default().lines().count()
    }

    /// The person: opens what the program printed or told the browser to open, allows it, logs in, and is sent back to
    /// the program.
    pub(crate) async fn log_in(&self, program: &mut Process) -> Page {
        let authorize = format!("{}/authorize?", self.gateway.issuer());
        let opened = self.home.path().join("opened");
        let url = program.within("ask for a login", |log| {
            let text = fs::read_to_string(&opened).unwrap_or_default() + log;
            let start = text.find(&authorize)?;
            // All of it: the rest of the line may be still to come.
            let (url, _) = text[start..].split_once(|c: char| c.is_whitespace() || c.is_control())?;
            Url::parse(url).ok()
        });
        let page = self.gateway.browser().log_in(&url, "octocat").await.page();
        assert!(page.status.is_success(), "{} answered {}: {}", page.url, page.status, page.html);
        page
    }
}
