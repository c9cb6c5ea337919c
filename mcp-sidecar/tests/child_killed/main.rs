//! The end of the sidecar itself, and of its sessions, seen from outside.
//!
//! Apart from the other tests of children: those collect orphans as a sidecar does, and would take these processes for some.

#[cfg(test)]
mod binary;
#[cfg(test)]
mod daemons;
#[cfg(test)]
mod exhausted;
#[cfg(test)]
mod killed_sidecar;
#[cfg(test)]
mod orphans;
#[cfg(test)]
mod private;
#[cfg(test)]
mod sidecar;
#[cfg(test)]
#[path = "../child_faults/support.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod support;
