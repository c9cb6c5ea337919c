use super::*;

#[test]
fn a_process_name_cannot_pretend_another_kinship() {
    let process = Process::parse(7, b"7 (a) S 1 1 (x)) Z 5 6 9 0 -1 0 0 0 0 0 0 0 0 0 0 20 0 1 444 0").unwrap();
    let started = process.identity.started;
    assert_eq!((process.parent, process.group, process.session, started), (5, 6, 9, 444));
}

#[test]
fn we_are_in_our_own_list() {
    let own = std::process::id();
    let found = processes().into_iter().find(|process| process.identity.id == own).unwrap();
    assert!(!found.is_zombie && found.identity.started > 0);
    assert_eq!(Identity::parse(&found.identity.to_string()), Some(found.identity));
}

fn process(id: u32, parent: u32, session: u32) -> Process {
    Process { identity: Identity { id, started: 1 }, group: session, is_zombie: false, parent, session }
}

fn ids(look: &Look, root: Identity, cookie: Option<&str>) -> Vec<u32> {
    let living = look.living(&BTreeSet::from([root]), cookie);
    living.into_iter().map(|process| process.identity.id).collect()
}

#[test]
fn families_are_told_apart_by_group_session_descent_and_cookie() {
    // Two leaders, a child of the first that fled its session, that one's own child, one that it has left in the
    // session to which it fled, and a daemon with a cookie.
    let all = [(10, 1, 10), (20, 1, 20), (11, 10, 99), (12, 11, 98), (13, 1, 99), (30, 1, 30)];
    let mut look = Look::of(all.map(|(id, parent, session)| process(id, parent, session)).to_vec());
    look.cookies.insert(b"a.1.".to_vec(), vec![5]);
    let leader = |id| Identity { id, started: 1 };
    assert_eq!(ids(&look, leader(10), Some("a.1.")), [10, 11, 12, 13, 30]);
    assert_eq!(ids(&look, leader(20), Some("a.10.")), [20]);
    assert_eq!(ids(&look, leader(20), None), [20]);
    assert_eq!(ids(&look, leader(2), Some("a.")), [30]);
}

#[test]
fn a_group_outlives_its_leader_and_an_id_may_have_come_to_a_stranger() {
    let look = Look::of(vec![process(11, 1, 10), process(20, 1, 20)]);
    assert_eq!(ids(&look, Identity { id: 10, started: 1 }, None), [11]);
    assert_eq!(ids(&look, Identity { id: 20, started: 2 }, None), [0; 0]);
}

#[test]
fn an_orphan_is_told_by_descent_alone_and_its_group_may_be_others() {
    // A shell that somebody has started from outside, what it has left behind, that one's child, which has a session of
    // its own, and that session's other process; what the shell runs now; and whose id was an orphan's. No such ids are
    // on any machine, where they might be those of processes that we may not signal.
    let [shell, left, child, grandchild, job, reused] = [0, 1, 2, 3, 4, 5].map(|id| (1 << 23) + id);
    let look = Look::of(vec![
        process(shell, 0, shell),
        process(left, 1, shell),
        process(child, left, child),
        process(grandchild, child, child),
        process(job, shell, shell),
        process(reused, 1, reused),
    ]);
    let orphans = BTreeSet::from([Identity { id: left, started: 1 }, Identity { id: reused, started: 2 }]);
    let found = look.parted(look.descent(&orphans));
    let groups: Vec<_> = found.iter().map(|process| (process.identity.id, process.group)).collect();
    assert_eq!(groups, [(left, 0), (child, child), (grandchild, child)]);
}
