//! Every process that descends from one we started, found by a mark in its environment, wherever it has gone to.

use std::{fs, process::Command};

use nix::unistd::Pid;

const VARIABLE: &str = "GATEWAY_TESTS_FAMILY";

/// A mark that children inherit even when they change group, session or parent.
#[derive(Clone, Debug)]
pub struct Family {
    mark: String,
}

impl Family {
    /// Marks what `command` will start.
    pub fn of(command: &mut Command) -> Self {
        let mut bytes = [0_u8; 8];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        let mark = format!("{VARIABLE}={:016x}", u64::from_ne_bytes(bytes));
        let (name, value) = mark.split_once('=').expect("just written");
        command.env(name, value);
        Self { mark }
    }

    /// Living members: process id and command line. A zombie has ended.
    pub fn members(&self) -> Vec<(Pid, String)> {
        let processes = fs::read_dir("/proc").expect("Linux has /proc").flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        ids.filter(|id| self.holds(*id)).map(|id| (Pid::from_raw(id), command_line(id))).collect()
    }

    fn holds(&self, id: i32) -> bool {
        let environ = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|variable| variable == self.mark.as_bytes())
    }
}

pub(super) fn command_line(id: i32) -> String {
    String::from_utf8_lossy(&fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default()).replace('\0', " ")
}
