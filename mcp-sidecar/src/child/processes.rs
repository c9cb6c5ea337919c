//! Everything in /proc at one moment, and who belongs to whom. A thousand families that end at once look together:
//! each would read about all others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::watchdog::COOKIE;

/// The last look that others may share.
static SHARED: Mutex<Option<(Instant, Arc<Look>)>> = Mutex::const_new(None);

/// One line of /proc, as far as kinship goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process {
    pub(super) id: u32,
    pub(super) group: u32,
    is_zombie: bool,
    parent: u32,
    session: u32,
    /// Clock ticks since boot.
    started: u64,
}

#[derive(Debug, Default)]
pub(super) struct Look {
    all: Vec<Process>,
    /// Places in `all`, by the parent.
    children: HashMap<u32, Vec<usize>>,
    /// By the group, and by the session.
    members: HashMap<u32, Vec<usize>>,
    cookies: BTreeMap<Vec<u8>, Vec<usize>>,
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
        // Nobody carries a cookie of ours who is older than we are.
        let look = spawn_blocking(|| Self::since(&BTreeSet::from([std::process::id()]))).await.unwrap_or_default();
        let look = Arc::new(look);
        *last = Some((began, Arc::clone(&look)));
        look
    }

    /// Reads /proc, and the cookies of all that are not older than the first of `leaders`: looking for those is what
    /// costs. Everybody's if one of them cannot be asked any more. Not for an async worker.
    pub(super) fn since(leaders: &BTreeSet<u32>) -> Self {
        let mut look = Self { all: processes(), ..Self::default() };
        let starts = leaders.iter().map(|id| look.all.iter().find(|process| process.id == *id).map(|one| one.started));
        let since = starts.collect::<Option<Vec<_>>>().and_then(|starts| starts.into_iter().min()).unwrap_or(0);
        for (place, process) in look.all.iter().enumerate() {
            look.children.entry(process.parent).or_default().push(place);
            look.members.entry(process.group).or_default().push(place);
            look.members.entry(process.session).or_default().push(place);
            if process.started >= since
                && let Some(cookie) = cookie_of(process.id)
            {
                look.cookies.entry(cookie).or_default().push(place);
            }
        }
        look
    }

    /// Children of `parent` that have ended and wait to be collected.
    pub(super) fn zombies_of(&self, parent: u32) -> Vec<u32> {
        let children = self.children.get(&parent).into_iter().flatten().map(|&place| self.all[place]);
        children.filter(|process| process.is_zombie).map(|process| process.id).collect()
    }

    /// The living among `leaders`' groups, sessions and descendants, and all whose cookie starts with `cookie`.
    pub(super) fn living(&self, leaders: &BTreeSet<u32>, cookie: &str) -> Vec<Process> {
        let of = |kin: &HashMap<u32, Vec<usize>>, id: u32| kin.get(&id).cloned().unwrap_or_default();
        let cookie = cookie.as_bytes();
        let carriers = self.cookies.range(cookie.to_vec()..).take_while(|(carried, _)| carried.starts_with(cookie));
        let mut found: Vec<usize> = carriers.flat_map(|(_, places)| places.iter().copied()).collect();
        found.extend(
            leaders.iter().flat_map(|&leader| [of(&self.members, leader), of(&self.children, leader)].concat()),
        );
        let mut kin = BTreeSet::new();
        while let Some(place) = found.pop() {
            if kin.insert(place) {
                found.extend(of(&self.children, self.all[place].id));
            }
        }
        kin.into_iter().map(|place| self.all[place]).filter(|process| !process.is_zombie).collect()
    }
}

/// Everything in /proc; nothing where there is no /proc.
fn processes() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(|id: u32| Process::parse(id, &fs::read(format!("/proc/{id}/stat")).ok()?)).collect()
}

fn cookie_of(id: u32) -> Option<Vec<u8>> {
    let environment = fs::read(format!("/proc/{id}/environ")).ok()?;
    let mut variables = environment.split(|byte| *byte == 0);
    variables.find_map(|variable| Some(variable.strip_prefix(COOKIE.as_bytes())?.strip_prefix(b"=")?.to_vec()))
}

impl Process {
    /// proc_pid_stat(5): `id (name) state parent group session …`; the name may contain anything.
    fn parse(id: u32, stat: &[u8]) -> Option<Self> {
        let name_end = stat.iter().rposition(|byte| *byte == b')')?;
        let mut fields = stat[name_end + 1..].split(|byte| *byte == b' ').filter(|field| !field.is_empty());
        let is_zombie = matches!(fields.next()?, b"Z" | b"X");
        let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse().ok();
        let [parent, group, session] = [number()?, number()?, number()?];
        let started = std::str::from_utf8(fields.nth(15)?).ok()?.parse().ok()?;
        Some(Self { id, group, is_zombie, parent, session, started })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_cannot_pretend_another_kinship() {
        let process = Process::parse(7, b"7 (a) S 1 1 (x)) Z 5 6 9 0 -1 0 0 0 0 0 0 0 0 0 0 20 0 1 444 0").unwrap();
        assert_eq!((process.parent, process.group, process.session, process.started), (5, 6, 9, 444));
    }

    #[test]
    fn we_are_in_our_own_list() {
        let own = std::process::id();
        let found = processes().into_iter().find(|process| process.id == own).unwrap();
        assert!(!found.is_zombie && found.started > 0);
    }

    #[test]
    fn families_are_told_apart_by_group_session_descent_and_cookie() {
        let process = |id, parent, group| Process { id, group, is_zombie: false, parent, session: group, started: 1 };
        // Two leaders, a child of the first that fled its group, that one's own child, and a daemon with a cookie.
        let all =
            vec![process(10, 1, 10), process(20, 1, 20), process(11, 10, 99), process(12, 11, 98), process(30, 1, 30)];
        let mut look = Look { all, ..Look::default() };
        for (place, one) in look.all.iter().enumerate() {
            look.children.entry(one.parent).or_default().push(place);
            look.members.entry(one.group).or_default().push(place);
        }
        look.cookies.insert(b"a.1.".to_vec(), vec![4]);
        let ids = |leader, cookie| {
            let living = look.living(&BTreeSet::from([leader]), cookie);
            living.into_iter().map(|process| process.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(10, "a.1."), [10, 11, 12, 30]);
        assert_eq!(ids(20, "a.10."), [20]);
        assert_eq!(ids(0, "a."), [30]);
    }
}
