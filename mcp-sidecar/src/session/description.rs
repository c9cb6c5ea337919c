//! A server as a person wants to see it: eras, versions, capabilities, what it lists, and how it behaves as a process.
//! For `mcp-sidecar probe`.

use serde::Serialize;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::time::{Duration, Instant, timeout_at};

use super::era::{Patience, initialize, probe};
use super::handshake::{Handshake, Junk, List, Unanswered};
use crate::child::ExitReason;
use crate::config::{EraSetting, Spawning};
use crate::mcp::introduction::Introduction;
use crate::mcp::version::Era;

/// A modern server that has started once already and does not know `initialize` may say nothing at all.
const SECOND_ERA: Duration = Duration::from_secs(10);
/// For all pages of one list.
const LIST: Duration = Duration::from_secs(20);

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Description {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) modern: Option<Introduction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) legacy: Option<Introduction>,
    /// As the server describes them.
    pub(crate) tools: Vec<Value>,
    pub(crate) prompts: Vec<Value>,
    pub(crate) resources: Vec<Value>,
    pub(crate) resource_templates: Vec<Value>,
    /// What it offers but does not list.
    pub(crate) faults: Vec<String>,
    /// It left a question without any answer.
    #[serde(skip)]
    pub(crate) is_silent: bool,
    /// Until it had introduced itself; whatever it had to fetch was there already.
    pub(crate) start_seconds: f64,
    pub(crate) junk: Junk,
    pub(crate) end: End,
}

/// How the process ended: once its input was closed, unless by itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct End {
    pub(crate) by: EndedBy,
    pub(crate) seconds: f64,
    pub(crate) status: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EndedBy {
    /// While it was asked.
    Itself,
    EndOfInput,
    Sigterm,
    Sigkill,
}

/// Asks everything, each era in a process of its own. They end in the background: see [`crate::child::reap::none_left`].
/// `patience` is for the introduction and the lists.
pub(crate) async fn describe(
    spawning: &Spawning,
    setting: EraSetting,
    patience: Duration,
    supervisor: &Handle,
) -> Result<Description, Unanswered> {
    let deadline = Instant::now() + patience;
    let usual = Patience { answer: patience, ..Patience::USUAL };
    let introduced = async {
        let era = match setting {
            EraSetting::Fixed(era) => era,
            EraSetting::Auto => probe(spawning, usual, supervisor, &None).await?.era,
        };
        let begun = Instant::now();
        let mut server = Handshake::start(spawning, "probe", patience, supervisor).await?;
        let introduction = server.introduce(era).await?;
        Ok((server, era, introduction, begun.elapsed().as_secs_f64()))
    };
    let introduced = timeout_at(deadline, introduced).await.unwrap_or(Err(Unanswered::Silent));
    let (mut server, era, introduction, start_seconds) = introduced?;
    let (mut faults, mut is_silent, mut has_exited) = (Vec::new(), false, false);
    let [mut tools, mut prompts, mut resources, mut resource_templates] = [const { Vec::new() }; 4];
    for (list, capability, members) in [
        (List::TOOLS, "tools", &mut tools),
        (List::PROMPTS, "prompts", &mut prompts),
        (List::RESOURCES, "resources", &mut resources),
        (List::TEMPLATES, "resources", &mut resource_templates),
    ] {
        if has_exited || introduction.capabilities.get(capability).is_none() {
            continue;
        }
        // One that hangs leaves the others their time.
        let now = Instant::now();
        server.wait_until(now + LIST.min(deadline.saturating_duration_since(now) / 2));
        let Err(fault) = server.list(list, era, members).await else { continue };
        has_exited = matches!(fault, Unanswered::Exited(_));
        let no_answer = has_exited || matches!(fault, Unanswered::Silent | Unanswered::Flooded);
        is_silent |= no_answer;
        faults.push(if no_answer { format!("{fault} ({})", list.method) } else { fault.to_string() });
    }
    let junk = server.junk().clone();
    let mut end = end(server, spawning.limits.stop_grace).await;
    if has_exited {
        end.by = EndedBy::Itself;
    }
    let (modern, legacy) = match era {
        Era::Legacy => (None, Some(introduction)),
        Era::Modern => {
            let short = Patience { answer: SECOND_ERA, ..usual };
            (Some(introduction), initialize(spawning, short, supervisor, &None).await.ok())
        }
    };
    Ok(Description {
        modern,
        legacy,
        tools,
        prompts,
        resources,
        resource_templates,
        faults,
        is_silent,
        start_seconds,
        junk,
        end,
    })
}

async fn end(server: Handshake, grace: Duration) -> End {
    let begun = Instant::now();
    let status = server.stop().await;
    let took = begun.elapsed();
    let by = match status {
        // It had its grace twice: that of the closed input, that of SIGTERM.
        ExitReason::Signal(9) => EndedBy::Sigkill,
        _ if took >= grace * 2 => EndedBy::Sigkill,
        _ if took >= grace => EndedBy::Sigterm,
        _ => EndedBy::EndOfInput,
    };
    End { by, seconds: took.as_secs_f64(), status: status.to_string() }
}
