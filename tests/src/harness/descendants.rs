//! The processes below one of ours. The sidecar adopts orphans: whatever its children have started stays below it.

use std::{collections::BTreeSet, fs};

use nix::unistd::Pid;

use super::family::command_line;

/// A process below another. A zombie counts: it holds a process id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descendant {
    pub pid: Pid,
    pub is_zombie: bool,
    pub command: String,
}

/// All that descend from `root`, without it.
pub fn descendants(root: Pid) -> Vec<Descendant> {
    let entries = fs::read_dir("/proc").expect("Linux has /proc").flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let all: Vec<_> = ids.filter_map(|id| Some((id, kinship(id)?))).collect();
    let mut kin = BTreeSet::from([root.as_raw()]);
    loop {
        let known = kin.len();
        let children: Vec<_> = all.iter().filter(|(_, (_, parent))| kin.contains(parent)).map(|(id, _)| *id).collect();
        kin.extend(children);
        if kin.len() == known {
            break;
        }
    }
    let below = all.into_iter().filter(|(id, _)| *id != root.as_raw() && kin.contains(id));
    below.map(|(id, (state, _))| describe(id, state)).collect()
}

/// proc_pid_stat(5): `id (name) state parent …`; the name may contain anything.
fn kinship(id: i32) -> Option<(char, i32)> {
    let stat = String::from_utf8_lossy(&fs::read(format!("/proc/{id}/stat")).ok()?).into_owned();
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn describe(id: i32, state: char) -> Descendant {
    Descendant { pid: Pid::from_raw(id), is_zombie: state == 'Z', command: command_line(id) }
}
