//! Several replicas: `REDIS_URL`, `REDIS_PASSWORD`, `--advertise`.

use std::ffi::OsString;

use super::cli::Replicas;
use crate::cluster::ClusterConfig;
use crate::cluster::address::Address;

/// Emptied for the wrapped server, which must not see how to get into the Redis that its replicas trust.
const OURS: [&str; 2] = ["REDIS_URL", "REDIS_PASSWORD"];

/// What a server finds in their place.
pub(crate) fn withheld() -> [(OsString, OsString); 2] {
    OURS.map(|name| (name.into(), OsString::new()))
}

/// `None`: this is the only replica.
pub(super) fn read(replicas: Replicas, faults: &mut Vec<String>) -> Option<ClusterConfig> {
    let advertise = replicas.advertise.as_deref().map(|text| Address::parse(text).ok_or(text));
    if let Some(Err(text)) = advertise {
        faults.push(format!("--advertise {text:?} is no host:port or http://host:port"));
    }
    if replicas.advertise.is_some() && replicas.redis.is_none() {
        faults.push("--advertise is for one of several replicas, which share a Redis: set REDIS_URL".to_owned());
    }
    let redis = replicas.redis?.map_err(|fault| faults.push(format!("REDIS_URL {fault}"))).ok()?;
    Some(ClusterConfig { redis, advertise: advertise.and_then(Result::ok) })
}
