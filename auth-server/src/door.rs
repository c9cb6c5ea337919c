//! Where clients come in, and how they are sent away at the end without losing a call: new connections are refused at
//! once (ECONNREFUSED), and only then is everybody who is inside told `Connection: close` with the next response
//! (RFC 9112 §9.6), for whoever is told comes back at once. The twin of mcp-sidecar's.
//!
//! actix' own pause stops accepting, but leaves the socket open: the kernel goes on making connections that nobody
//! takes, and resets them when the process ends.

use std::{
    any::Any,
    io,
    net::{Shutdown, TcpListener},
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::{
    dev::{Extensions, ResponseHead, ServerHandle},
    http::ConnectionType,
};
use log::{debug, warn};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{SockFilter, SockRef};
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

/// Time for actix' thread to take what is in the backlog, for a handshake to end that has begun, and for that thread to
/// see that it is paused: it does not say when it has.
const A_MOMENT: Duration = Duration::from_millis(50);
/// The backlog must be empty by then. Without descriptors it never is.
const BACKLOG: Duration = Duration::from_secs(1);
/// A client that got its last response just before the door was closed has this long to write its next call.
const FAREWELL: Duration = Duration::from_secs(1);

/// A packet filter that drops what begins a connection (SYN is the flag of value 2 in a TCP header's byte 13) and lets
/// everything else through. A client whose SYN was dropped sends it again, and is refused then.
const NOBODY_NEW: [SockFilter; 4] = [
    SockFilter::new(0x30, 0, 0, 13),       // load that byte
    SockFilter::new(0x45, 0, 1, 0x02),     // if SYN is not set, leave out the next one
    SockFilter::new(0x06, 0, 0, 0),        // drop
    SockFilter::new(0x06, 0, 0, u32::MAX), // take the whole packet
];

/// The listening socket, and who came in there.
#[derive(Debug)]
pub(crate) struct Door {
    listener: TcpListener,
    farewell: Farewell,
    connections: TaskTracker,
}

/// What a response says of its connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Farewell(Arc<AtomicBool>);

impl Farewell {
    /// To be asked for each response.
    pub(crate) fn tell(&self, response: &mut ResponseHead) {
        if self.0.load(Ordering::Relaxed) {
            response.set_connection_type(ConnectionType::Close);
        }
    }
}

impl Door {
    pub(crate) fn of(listener: &TcpListener) -> io::Result<Self> {
        let listener = listener.try_clone()?;
        Ok(Self { listener, farewell: Farewell::default(), connections: TaskTracker::new() })
    }

    pub(crate) fn farewell(&self) -> Farewell {
        self.farewell.clone()
    }

    /// Counts connections: to be called with each one's extensions, which live as long as it.
    pub(crate) fn count(&self) -> impl Fn(&dyn Any, &mut Extensions) + Send + Sync + 'static {
        let connections = self.connections.clone();
        move |_, extensions| drop(extensions.insert(connections.token()))
    }

    /// From now on nobody comes in; whoever came before is served, and told to leave.
    pub(crate) async fn close(&self, server: &ServerHandle) {
        // Connections that the kernel has made but actix has not yet taken are reset with the socket: there must be none.
        if let Err(cause) = SockRef::from(&self.listener).attach_filter(&NOBODY_NEW) {
            debug!(cause:%; "connections are made until the end");
        }
        if !matches!(timeout(BACKLOG, self.all_taken()).await, Ok(Ok(()))) {
            debug!("connections that were not accepted are reset");
        }
        server.pause().await;
        sleep(A_MOMENT).await;
        // On Linux such a socket listens no more, though actix keeps it.
        if let Err(cause) = SockRef::from(&self.listener).shutdown(Shutdown::Read) {
            warn!(cause:%; "new connections cannot be refused");
        }
        self.farewell.0.store(true, Ordering::Relaxed);
    }

    /// Nobody waits in the backlog any more.
    async fn all_taken(&self) -> nix::Result<()> {
        loop {
            sleep(A_MOMENT).await;
            if poll(&mut [PollFd::new(self.listener.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO)? == 0 {
                return Ok(());
            }
        }
    }

    /// Everybody has left, or had the time to.
    pub(crate) async fn emptied(&self) {
        self.connections.close();
        // Those that stay are idle, or will be told with their answer.
        let _some_stay = timeout(FAREWELL, self.connections.wait()).await;
    }
}
