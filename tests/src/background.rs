//! Servers inside the test process: each on a thread of its own, so that it outlives no test and blocks none.

use std::{future::Future, sync::mpsc, thread, time::Duration};

use actix_web::dev::Server;
use tokio::sync::oneshot;

/// For servers: no client, which closes idle connections after 90 s, meets one that is just being closed.
pub const KEEP_ALIVE: Duration = Duration::from_secs(600);

/// A running server. Dropping it stops the server and waits until its thread is gone.
#[derive(Debug)]
pub struct Background {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Background {
    /// Runs what `start` makes of the stop signal; returns once `start` has sent what callers need to know (an address).
    pub fn start<T, F, S>(name: &str, start: S) -> (T, Self)
    where
        T: Send + 'static,
        F: Future<Output = ()>,
        S: FnOnce(mpsc::Sender<T>, oneshot::Receiver<()>) -> F + Send + 'static,
    {
        let (ready, started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let run = move || actix_rt::System::new().block_on(start(ready, stopped));
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run).expect("a thread can be started");
        let known = started.recv().unwrap_or_else(|_| panic!("{name} did not start; its own panic says why"));
        (known, Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the server's thread panicked");
        }
    }
}

/// Answers until `stop` comes (or its sender is dropped), then ends without waiting for requests in flight.
pub async fn until(stop: oneshot::Receiver<()>, server: Server) {
    let handle = server.handle();
    tokio::pin!(server);
    tokio::select! {
        ended = &mut server => ended.expect("the server runs until it is stopped"),
        _ = stop => {
            let (ended, ()) = tokio::join!(server, handle.stop(false));
            ended.expect("the server stops cleanly");
        }
    }
}
