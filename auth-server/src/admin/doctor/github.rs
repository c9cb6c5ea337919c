//! Can GitHub be reached, and does it know this gateway?

use std::time::SystemTime;

use serde_json::json;

use super::{Finding, web::Web};
use crate::config::Config;

pub(super) async fn check(config: &Config, web: &Web, now: fn() -> SystemTime) -> Vec<Finding> {
    let github = &config.github;
    let unreachable = "let this machine reach GitHub over HTTPS, or correct GITHUB_BASE_URL and GITHUB_API_URL";
    let mut findings = Vec::new();
    match web.get(&github.base_url).await {
        Ok(answer) if answer.status < 500 => {
            findings.push(Finding::fine("GitHub", format!("{} answers", github.base_url)));
            findings.extend(answer.clock("GitHub's", now()));
        }
        Ok(answer) => {
            findings.push(Finding::wrong("GitHub", format!("it answers {}", answer.status), "wait: githubstatus.com"))
        }
        Err(cause) => findings.push(Finding::wrong("GitHub", cause, unreachable)),
    }
    // GitHub REST, «Check a token»: 404 for a token that it does not know, 401 if it does not know who asks.
    let url = format!("{}/applications/{}/token", github.api_url, github.client_id);
    let who = (github.client_id.as_str(), github.client_secret.expose());
    let made_up = json!({ "access_token": "a-token-that-does-not-exist" }).to_string();
    let advice = "copy GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET anew from the OAuth App's page at GitHub";
    findings.push(match web.post_as(&url, who, made_up).await {
        Ok(answer) if answer.status == 401 => Finding::wrong("GitHub App", "GitHub does not accept its secret", advice),
        Ok(answer) if answer.status >= 500 => {
            Finding::wrong("GitHub API", format!("it answers {}", answer.status), "wait: githubstatus.com")
        }
        Ok(_) => Finding::fine("GitHub App", "GitHub did not refuse its id and secret"),
        Err(cause) => Finding::wrong("GitHub API", cause, unreachable),
    });
    findings
}
