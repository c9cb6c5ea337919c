//! Much of everything through real processes: nothing lost, nothing out of order, nothing left. How fast is the
//! benchmark's business.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod calls;
mod idle_sessions;
mod sidecar;
mod soak;
mod stop;
