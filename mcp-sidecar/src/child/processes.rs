//! Everything in /proc at one moment, and who belongs to whom. A thousand families that end at once look together:
//! each would read about all others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::fs;
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::signal::kill;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::family::pid;
use super::orphans;
use super::watchdog::COOKIE;

/// The last look that others may share.
static SHARED: Mutex<Option<(Instant, Arc<Look>)>> = Mutex::const_new(None);

/// A list of children in which one is always missing is believed at last.
const READINGS: usize = 20;

/// A process that no other has been or will be: its id is given to others when it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    pub(super) id: u32,
    /// Clock ticks from boot to the fork.
    pub(super) started: u64,
}

/// One line of /proc, as far as kinship goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process {
    pub(super) identity: Identity,
    /// 0 if it is not to be signalled as a whole.
    pub(super) group: u32,
    pub(super) is_zombie: bool,
    pub(super) parent: u32,
    pub(super) session: u32,
}

#[derive(Debug, Default)]
pub(super) struct Look {
    /// By their ids.
    all: Vec<Process>,
    /// Places in `all`, by the parent, the group, and the session.
    kin: HashMap<u32, Vec<usize>>,
    cookies: BTreeMap<Vec<u8>, Vec<usize>>,
    /// Those that this process has adopted.
    orphans: Vec<Process>,
}

impl Look {
    /// As it is after being asked for. Who waits while another looks shares the next look with all who wait.
    pub(super) async fn shared() -> Arc<Self> {
        let asked = Instant::now();
        let mut last = SHARED.lock().await;
        if let Some((began, look)) = &*last
            && *began >= asked
        {
            return Arc::clone(look);
        }
        let began = Instant::now();
        let look = Arc::new(spawn_blocking(Self::ours).await.unwrap_or_default());
        *last = Some((began, Arc::clone(&look)));
        look
    }

    fn ours() -> Self {
        // Nobody carries a cookie of ours who is older than we are.
        let started = Process::read(std::process::id()).map_or(0, |process| process.identity.started);
        let look = Self::since(started);
        Self { orphans: orphans::among(look.children_of_ours()), ..look }
    }

    /// Reads /proc, and the cookies of all that started then or later: looking for those is what costs. Not for an
    /// async worker.
    pub(super) fn since(started: u64) -> Self {
        let mut look = Self::of(processes());
        for (place, process) in look.all.iter().enumerate() {
            if process.identity.started >= started
                && let Some(cookie) = cookie_of(process.identity.id)
            {
                look.cookies.entry(cookie).or_default().push(place);
            }
        }
        look
    }

    fn of(mut all: Vec<Process>) -> Self {
        all.sort_unstable_by_key(|process| process.identity);
        let mut kin: HashMap<u32, Vec<usize>> = HashMap::new();
        for (place, process) in all.iter().enumerate() {
            let numbers = BTreeSet::from([process.parent, process.group, process.session]);
            // Zero is whoever is outside of this namespace of processes.
            for number in numbers.into_iter().filter(|number| *number != 0) {
                kin.entry(number).or_default().push(place);
            }
        }
        Self { all, kin, ..Self::default() }
    }

    fn children(&self, parent: u32) -> impl Iterator<Item = Process> {
        self.kin(parent).map(|place| self.all[place]).filter(move |process| process.parent == parent)
    }

    pub(super) fn children_of_ours(&self) -> impl Iterator<Item = Process> {
        self.children(std::process::id())
    }

    fn kin(&self, number: u32) -> impl Iterator<Item = usize> {
        self.kin.get(&number).into_iter().flatten().copied()
    }

    pub(super) fn orphans(&self) -> &[Process] {
        &self.orphans
    }

    /// Children of `parent` that have ended and wait to be collected.
    pub(super) fn zombies_of(&self, parent: u32) -> Vec<u32> {
        self.children(parent).filter(|process| process.is_zombie).map(|process| process.identity.id).collect()
    }

    /// The living among these and all whose cookie starts with `cookie`, their groups, sessions and descendants: no
    /// group and no session is ever of two families, since each begins with a session of its own.
    pub(super) fn living(&self, roots: &BTreeSet<Identity>, cookie: Option<&str>) -> Vec<Process> {
        let mut found: Vec<usize> = cookie.into_iter().flat_map(|cookie| self.carriers(cookie.as_bytes())).collect();
        for root in roots {
            match self.all.binary_search_by_key(&root.id, |process| process.identity.id) {
                // Since when it is there could not be read: no descriptor was left.
                Ok(place) if self.all[place].identity == *root || root.started == 0 => found.push(place),
                // The id is a stranger's now.
                Ok(_) => {}
                // Its group has outlived it, or nobody.
                Err(_) => found.extend(self.kin(root.id)),
            }
        }
        let (mut kin, mut asked) = (BTreeSet::new(), BTreeSet::new());
        while let Some(place) = found.pop() {
            let process = self.all[place];
            kin.insert(place);
            for number in [process.identity.id, process.group, process.session] {
                if asked.insert(number) {
                    found.extend(self.kin(number));
                }
            }
        }
        kin.into_iter().map(|place| self.all[place]).filter(|process| !process.is_zombie).collect()
    }

    /// The living among these and their descendants that we may end. Who else is in their groups and sessions may be
    /// somebody else's.
    pub(super) fn descent(&self, roots: &BTreeSet<Identity>) -> Vec<Process> {
        let place = |root: &Identity| self.all.binary_search_by_key(root, |process| process.identity).ok();
        let mut found: Vec<usize> = roots.iter().filter_map(place).collect();
        let mut kin = BTreeSet::new();
        while let Some(place) = found.pop() {
            if kin.insert(place) {
                let id = self.all[place].identity.id;
                found.extend(self.kin(id).filter(|child| self.all[*child].parent == id));
            }
        }
        let kin = kin.into_iter().map(|place| self.all[place]);
        kin.filter(|process| !process.is_zombie && process.identity.may_be_ended()).collect()
    }

    /// Each on its own, unless its whole group is among them.
    pub(super) fn parted(&self, mut left: Vec<Process>) -> Vec<Process> {
        let known: BTreeSet<Identity> = left.iter().map(|process| process.identity).collect();
        for one in &mut left {
            let of_group = self.kin(one.group).map(|place| self.all[place]).filter(|other| other.group == one.group);
            if of_group.into_iter().any(|other| !other.is_zombie && !known.contains(&other.identity)) {
                one.group = 0;
            }
        }
        left
    }

    fn carriers(&self, cookie: &[u8]) -> Vec<usize> {
        let carriers = self.cookies.range(cookie.to_vec()..).take_while(|(carried, _)| carried.starts_with(cookie));
        carriers.flat_map(|(_, places)| places.iter().copied()).collect()
    }
}

/// Everything in /proc; nothing where there is no /proc.
fn processes() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(Process::read).collect()
}

/// The children of this process' first thread, to which the system gives orphans: a few ids, instead of all of /proc.
/// Not every kernel lists them. Also those that have ended and wait to be collected.
pub(super) fn listed_children() -> Option<Vec<Process>> {
    let me = std::process::id();
    let mut children = Vec::new();
    for _ in 0..READINGS {
        let ids = fs::read_to_string(format!("/proc/self/task/{me}/children")).ok()?;
        let all = ids.split_ascii_whitespace().map(|id| Process::read(id.parse().ok()?));
        children = all.collect();
        // Who is gone already may have left somebody behind, who was not in the list yet.
        if children.iter().all(Option::is_some) {
            break;
        }
    }
    Some(children.into_iter().flatten().filter(|process| process.parent == me).collect())
}

fn cookie_of(id: u32) -> Option<Vec<u8>> {
    let environment = fs::read(format!("/proc/{id}/environ")).ok()?;
    let mut variables = environment.split(|byte| *byte == 0);
    variables.find_map(|variable| Some(variable.strip_prefix(COOKIE.as_bytes())?.strip_prefix(b"=")?.to_vec()))
}

impl Process {
    /// As it is now.
    pub(super) fn read(id: u32) -> Option<Self> {
        Self::parse(id, &fs::read(format!("/proc/{id}/stat")).ok()?)
    }

    /// proc_pid_stat(5): `id (name) state parent group session …`; the name may contain anything.
    fn parse(id: u32, stat: &[u8]) -> Option<Self> {
        let name_end = stat.iter().rposition(|byte| *byte == b')')?;
        let mut fields = stat[name_end + 1..].split(|byte| *byte == b' ').filter(|field| !field.is_empty());
        let is_zombie = matches!(fields.next()?, b"Z" | b"X");
        let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse().ok();
        let [parent, group, session] = [number()?, number()?, number()?];
        let started = std::str::from_utf8(fields.nth(15)?).ok()?.parse().ok()?;
        Some(Self { identity: Identity { id, started }, group, is_zombie, parent, session })
    }
}

impl Identity {
    /// Not if it is another user's.
    pub(super) fn may_be_ended(self) -> bool {
        kill(pid(self.id), None) != Err(Errno::EPERM)
    }

    /// The same process, as it is now, if it is there.
    pub(super) fn process(self) -> Option<Process> {
        Process::read(self.id).filter(|process| process.identity == self)
    }

    /// As it is shown.
    pub(super) fn parse(shown: &str) -> Option<Self> {
        let (id, started) = shown.split_once(' ')?;
        Some(Self { id: id.parse().ok()?, started: started.parse().ok()? })
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.started)
    }
}

#[cfg(test)]
#[path = "processes_tests.rs"]
mod tests;
