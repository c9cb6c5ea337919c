//! What is free goes back to the system. Allocators keep it for the thread that had it, until that thread does more:
//! sixteen that rest after many sessions keep most of what these took. So each has its turn, while sessions end; glibc
//! gives back for all of them at once.

use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::app::{BLOCKING_THREADS, share_of_processors};
use crate::session::registry::Registry;

/// Whether each thread must give back what is its own.
const EACH_THREAD: bool = cfg!(target_env = "musl");
const EVERY: Duration = Duration::from_secs(10);

/// For threads that are not the supervisor's.
pub(crate) type Rounds = watch::Receiver<()>;

/// Never ends by itself.
pub(crate) async fn keep_small(registry: &Registry, rounds: watch::Sender<()>) -> Infallible {
    let (mut last, mut last_but_one) = (0, 0);
    loop {
        sleep(EVERY).await;
        let ended = registry.ended();
        // Once more after the last has ended: its processes may have taken longer.
        if ended != last_but_one {
            give_back();
            if EACH_THREAD {
                rounds.send_replace(());
                supervisors().await;
            }
        }
        (last, last_but_one) = (ended, last);
    }
}

/// On the supervisor's threads. One job after the other starts no thread, and goes to who has waited longest.
async fn supervisors() {
    for _ in 0..BLOCKING_THREADS {
        let _ = spawn_blocking(give_back).await;
    }
    let supervisor = tokio::runtime::Handle::current();
    let turns: Vec<_> = (0..share_of_processors()).map(|_| supervisor.spawn(async { give_back() })).collect();
    for turn in turns {
        let _ = turn.await;
    }
}

/// On this thread, once in each round.
pub(crate) async fn follow(mut rounds: Rounds) {
    while rounds.changed().await.is_ok() {
        give_back();
    }
}

/// What the allocator keeps: mimalloc for this thread, glibc for all.
#[cfg_attr(
    any(target_env = "musl", target_env = "gnu"),
    expect(unsafe_code, reason = "an allocator's own function, which Rust has no name for")
)]
fn give_back() {
    #[cfg(target_env = "musl")]
    {
        unsafe extern "C" {
            safe fn mi_collect(force: bool);
        }
        mi_collect(true);
    }
    #[cfg(target_env = "gnu")]
    {
        unsafe extern "C" {
            safe fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        malloc_trim(0);
    }
}
