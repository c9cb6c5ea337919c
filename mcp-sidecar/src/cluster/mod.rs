//! Several replicas of one service behind a balancer that knows nothing of sessions. Every session is registered in
//! Redis by the replica that has it; a request that reaches another one is passed on, one hop. Without `REDIS_URL`
//! none of this exists.
//!
//! | module | job |
//! | --- | --- |
//! | [`address`], [`record`] | what is written to Redis, checked when it is read back |
//! | `whereabouts` | what follows from its answers: another replica, no session, or not known yet |
//! | `trust` | whether Redis is away, or may have forgotten something |
//! | `store` | the questions asked of it, bounded in time; the only place that names `deadpool_redis` |
//! | `announce` | the task that keeps Redis up to date; `advertise`: the address it says; `clock`: its time |
//! | `directory` | where a session is, remembered for a moment |
//! | `headers` | which headers a request keeps on its way there |
//!
//! Passing on is HTTP's business: `http/forward.rs`.

pub mod address;
mod advertise;
mod announce;
mod clock;
mod directory;
pub(crate) mod headers;
pub mod record;
mod store;
mod trust;
mod whereabouts;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use log::{info, warn};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::mcp::rejection::Rejection;
use crate::mcp::session_id::{Owner, SessionId};
use crate::metrics::Metrics;
use crate::session::registry::{Registry, Session};
use address::Address;
use advertise::Advertised;
use announce::Announcer;
use directory::Directory;
use record::ReplicaId;
pub use store::RedisAddress;
use store::{Store, StoreAway};
use trust::{Change, Trust};
pub(crate) use whereabouts::Place;

/// What makes a sidecar one of several.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    pub redis: RedisAddress,
    /// `--advertise`; otherwise it is found out.
    pub advertise: Option<Address>,
}

/// This replica among the others.
#[derive(Debug)]
pub(crate) struct Cluster {
    member: Arc<Member>,
    tasks: TaskTracker,
    leave: CancellationToken,
}

/// What this replica's task and its requests share.
#[derive(Debug)]
struct Member {
    id: ReplicaId,
    /// What it serves; see [`record::service`].
    service: String,
    store: Store,
    trust: Trust,
    directory: Directory,
    metrics: Arc<Metrics>,
}

impl Member {
    /// Told once, when it begins.
    fn trouble(&self, cause: &StoreAway) {
        self.metrics.redis_errors.inc();
        if self.trust.failed(Instant::now()) == Change::WentAway {
            warn!(cause:%; "redis is away: sessions of other replicas cannot be looked up, own ones go on");
        }
    }
}

/// Why this replica cannot be one of several.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoCluster(String);

impl Cluster {
    /// `service`: see [`record::service`]. Redis need not be there yet.
    pub(crate) fn join(
        config: ClusterConfig,
        listening: SocketAddr,
        service: String,
        (registry, metrics): (&Arc<Registry>, &Arc<Metrics>),
    ) -> Result<Self, NoCluster> {
        let supervisor = Handle::current();
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|cause| NoCluster(cause.to_string()))?;
        let advertised = Advertised::new(config.advertise, listening, &config.redis);
        if let Some(address) = advertised.stays_here(&config.redis) {
            warn!(address:%; "replicas on other machines cannot reach a loopback address: say --host, or --advertise");
        }
        let store = Store::new(config.redis, supervisor.clone()).map_err(|cause| NoCluster(cause.to_string()))?;
        let (id, trust) = (ReplicaId::from_random(random), Trust::new());
        let (directory, metrics) = (Directory::default(), Arc::clone(metrics));
        let member = Arc::new(Member { id, service, store, trust, directory, metrics });
        let announcer = Announcer {
            member: Arc::clone(&member),
            registry: Arc::clone(registry),
            advertised,
            written: HashMap::new(),
        };
        let (tasks, leave) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn_on(announcer.run(leave.clone()), &supervisor);
        tasks.close();
        Ok(Self { member, tasks, leave })
    }

    /// Registers a new session, before its id is told: the client's next request may reach another replica, which
    /// takes what it does not find for what does not exist. If Redis has just gone away, this waits until the session
    /// is registered after all or every replica has noticed: those answer «not known yet» from then on. The session is
    /// opened all the same, for a replica that is alone, or whom the client meets again, needs no Redis.
    pub(crate) async fn opened(&self, session: &Session) {
        let _left = self.leave.run_until_cancelled(self.member.register(session)).await;
    }

    /// Where a session of `asker` is that is not here.
    ///
    /// # Errors
    /// [`Rejection::SessionUnknown`]: nowhere. [`Rejection::SessionNotKnownYet`]: nobody can say just now.
    pub(crate) async fn place(&self, id: &SessionId, asker: &Owner) -> Result<Place, Rejection> {
        self.member.place(id, asker).await
    }

    /// What was seen there is not there any more.
    pub(crate) fn forget(&self, id: &SessionId) {
        self.member.directory.forget(id);
    }

    /// Where the replica is that a request which came here was meant for, if it is another one that lives.
    pub(crate) async fn meant_for(&self, named: &[u8]) -> Option<Address> {
        self.member.meant_for(named).await
    }

    /// Whether that replica still gives signs of life.
    pub(crate) async fn lives(&self, place: &Place) -> bool {
        self.member.lives(place).await
    }

    /// From here on no other replica is told of anything that is here.
    pub(crate) fn has_left(&self) -> bool {
        self.leave.is_cancelled()
    }

    /// Takes back this replica's keys, and returns when no other replica remembers them: the last moment in which
    /// requests may still be passed on to here.
    pub(crate) async fn leave(&self) {
        let told = Instant::now();
        self.leave.cancel();
        self.tasks.wait().await;
        sleep(directory::FRESH).await;
        info!(took:? = told.elapsed(); "left the other replicas");
    }
}
