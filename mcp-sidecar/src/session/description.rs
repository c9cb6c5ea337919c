//! A server as a person wants to see it: eras, versions, capabilities, tools. For `mcp-sidecar probe`.

use serde::Serialize;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::time::Duration;

use super::era::{Patience, initialize, probe};
use super::handshake::{Handshake, Unanswered};
use crate::config::{EraSetting, Spawning};
use crate::mcp::introduction::Introduction;
use crate::mcp::version::Era;

/// A modern server that has started once already and does not know `initialize` may say nothing at all.
const SECOND_ERA: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Description {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) modern: Option<Introduction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) legacy: Option<Introduction>,
    /// As the server describes them.
    pub(crate) tools: Vec<Value>,
}

/// Asks everything, each era in a process of its own. They end in the background: see [`crate::child::reap::none_left`].
pub(crate) async fn describe(
    spawning: &Spawning,
    setting: EraSetting,
    supervisor: &Handle,
) -> Result<Description, Unanswered> {
    let era = match setting {
        EraSetting::Fixed(era) => era,
        EraSetting::Auto => probe(spawning, Patience::USUAL, supervisor).await?.era,
    };
    let mut server = Handshake::start(spawning, "probe", Patience::USUAL.answer, supervisor).await?;
    let introduction = server.introduce(era).await?;
    let tools = if introduction.capabilities.get("tools").is_some() { server.tools(era).await? } else { Vec::new() };
    drop(server);
    let (modern, legacy) = match era {
        Era::Legacy => (None, Some(introduction)),
        Era::Modern => {
            let patience = Patience { answer: SECOND_ERA, ..Patience::USUAL };
            (Some(introduction), initialize(spawning, patience, supervisor).await.ok())
        }
    };
    Ok(Description { modern, legacy, tools })
}
