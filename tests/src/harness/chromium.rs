//! Real headless Chromium through chromedriver: what people see, with its content security policy enforced.

use std::{path::Path, process::Command, time::Duration};

use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    elements::Element,
};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::{Process, artifacts, free_port, paths::installed, wait::eventually};

const APPEARS_WITHIN: Duration = Duration::from_secs(60);

/// How the person likes pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Light,
    Dark,
    /// Dark, and 360 pixels wide: the narrowest that is common.
    Phone,
}

/// One browser with a profile of its own; dropping it ends all of it.
#[derive(Debug)]
pub struct Chromium {
    pub page: Client,
    _driver: Process,
    _profile: TempDir,
}

impl Chromium {
    pub async fn start(look: Look) -> Self {
        let port = free_port();
        let mut run = Command::new(installed("chromedriver"));
        let mut driver = Process::start("chromedriver", run.arg(format!("--port={port}")));
        driver.within("start", |log| log.contains("started successfully").then_some(()));
        let profile = tempfile::tempdir().expect("a temporary folder");
        let mut builder = ClientBuilder::native();
        let client = builder.capabilities(capabilities(look, profile.path()));
        let page = client.connect(&format!("http://127.0.0.1:{port}")).await;
        Self { page: page.expect("chromedriver starts Chromium"), _driver: driver, _profile: profile }
    }

    /// The text that a person can read.
    pub async fn text(&self) -> String {
        self.find(Locator::Css("body")).await.text().await.expect("the text of a page")
    }

    /// Waits until a person can read it: a page that has just been arrived at may not be all there.
    pub async fn reads(&self, text: &str) {
        let shown = async || self.text().await.contains(text).then_some(());
        eventually(APPEARS_WITHIN, &format!("{text} is shown"), shown).await;
    }

    /// Presses the button with this text.
    pub async fn press(&self, button: &str) {
        let button = self.find(Locator::XPath(&format!("//button[normalize-space()='{button}']"))).await;
        button.click().await.expect("a button can be pressed");
    }

    /// As WebDriver numbers them: Tab is U+E004, Enter U+E007.
    pub async fn press_key(&self, key: char) {
        let keys = KeyActions::new("keyboard".to_owned());
        let press = keys.then(KeyAction::Down { value: key }).then(KeyAction::Up { value: key });
        self.page.perform_actions(press).await.expect("a key can be pressed");
    }

    pub async fn type_into(&self, field: &str, text: &str) {
        let field = self.find(Locator::Css(field)).await;
        field.send_keys(text).await.expect("a field can be typed into");
    }

    /// Waits until it is there.
    pub async fn find(&self, what: Locator<'_>) -> Element {
        match self.page.wait().at_most(APPEARS_WITHIN).for_element(what).await {
            Ok(element) => element,
            Err(error) => panic!("{what:?}: {error} in {:?}", self.page.source().await),
        }
    }

    /// Whether nothing reaches beyond the right edge of the window.
    pub async fn fits(&self) -> bool {
        let script = "const root = document.documentElement; return root.scrollWidth <= root.clientWidth";
        self.page.execute(script, Vec::new()).await.expect("a script of the test's own").as_bool() == Some(true)
    }

    /// Kept under artifacts/screenshots for people to look at.
    pub async fn screenshot(&self, name: &str) {
        let png = self.page.screenshot().await.expect("Chromium makes a picture");
        std::fs::write(artifacts("screenshots").join(format!("{name}.png")), png).expect("artifacts can be written");
    }

    pub async fn close(self) {
        self.page.close().await.expect("Chromium ends when asked to");
    }
}

fn capabilities(look: Look, profile: &Path) -> Map<String, Value> {
    // Blink's numbers for prefers-color-scheme.
    let scheme = if look == Look::Light { 1 } else { 0 };
    let mut options = json!({ "args": [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
        // The test authority is not in the system's store; what TLS promises is tested elsewhere.
        "--ignore-certificate-errors",
        "--window-size=1000,1400",
        format!("--blink-settings=preferredColorScheme={scheme}"),
        format!("--user-data-dir={}", profile.display()),
    ] });
    if look == Look::Phone {
        options["mobileEmulation"] = json!({ "deviceMetrics": { "width": 360, "height": 780, "pixelRatio": 2.0 } });
    }
    let all = json!({ "browserName": "chrome", "acceptInsecureCerts": true, "goog:chromeOptions": options });
    all.as_object().cloned().expect("an object")
}
