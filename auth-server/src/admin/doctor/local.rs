//! What can be seen without asking anybody else.

use std::time::SystemTime;

use super::Finding;
use crate::{
    clock,
    config::Config,
    keys::{Place, Source},
    oauth::people::People,
    store::{Health, Store},
};

pub(super) const STORE_ADVICE: &str =
    "check REDIS_URL and REDIS_PASSWORD, or that DATA_DIR can be written by this user";
/// `GETDEL`.
const OLDEST_REDIS: (u32, u32) = (6, 2);

pub(super) fn configuration(config: &Config) -> Vec<Finding> {
    let mut findings = vec![Finding::fine("configuration", format!("issuer {}", config.issuer()))];
    if matches!(config.people, People::Anyone) {
        let advice = "name the people instead of «*» unless the gateway is for everybody";
        findings.push(Finding::notice("allowed users", "everybody whom GitHub knows may log in", advice));
    }
    if config.services.is_empty() {
        let advice = "set MCP_SERVICES=time,fetch,… to the names of the MCP hosts, so that each can be checked";
        findings.push(Finding::notice("services", "none are named, so none are checked", advice));
    }
    findings
}

pub(super) fn keys(config: &Config, now: SystemTime) -> Finding {
    let source = Source::new(&config.signing, &config.storage.data_dir);
    if let Place::File(path) = &source.place
        && !path.exists()
        && config.signing.private_key_file.is_none()
    {
        return Finding::notice("keys", "there is none yet", "start the server once: it makes one");
    }
    match source.load(clock::unix(now)) {
        Ok(loaded) => {
            let key = loaded.signing.public();
            let seen =
                format!("{} signs with {}, {} older verify", key.algorithm().name(), key.kid(), loaded.retired.len());
            Finding::fine("keys", seen)
        }
        Err(cause) => {
            Finding::wrong("keys", cause.to_string(), "put the key back, or make one: auth-server keys generate")
        }
    }
}

pub(super) async fn store(store: &Store) -> Vec<Finding> {
    let place = store.place();
    if let Err(cause) = store.ping().await {
        return vec![Finding::wrong("store", cause.to_string(), STORE_ADVICE)];
    }
    let mut findings = vec![match store.try_write().await {
        Ok(()) => Finding::fine("store", format!("{place} answers and can be written")),
        Err(cause) => {
            Finding::wrong("store", format!("{place}: {cause}"), "make room, or point REDIS_URL at the primary")
        }
    }];
    match store.health().await {
        Ok(Some(health)) => findings.extend(redis(&health)),
        Ok(None) => {}
        Err(cause) => findings.push(Finding::notice("Redis", cause.to_string(), "allow this user the command INFO")),
    }
    findings
}

fn redis(health: &Health) -> Vec<Finding> {
    let mut numbers = health.version.split('.').map(|number| number.parse().unwrap_or_default());
    let version = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let advice = "upgrade Redis to 6.2 or later";
    let mut findings = vec![Finding::judge("Redis version", version >= OLDEST_REDIS, health.version.clone(), advice)];
    if !health.durable {
        let advice = "set appendonly yes, or a restart of Redis logs people out";
        findings.push(Finding::notice("Redis durability", "no append-only file", advice));
    }
    if health.evicts {
        let advice = "set maxmemory-policy noeviction, or a full Redis logs people out at random";
        findings.push(Finding::notice("Redis memory", "records are evicted when memory is full", advice));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::doctor::Grade;

    fn health(version: &str) -> Health {
        Health { version: version.to_owned(), durable: true, evicts: false }
    }

    #[test]
    fn an_old_redis_is_wrong_and_a_forgetful_one_is_noticed() {
        for (version, grade) in
            [("6.0.16", Grade::Wrong), ("6.2.0", Grade::Fine), ("7.0.15", Grade::Fine), ("", Grade::Wrong)]
        {
            assert_eq!(redis(&health(version))[0].grade, grade, "{version}");
        }
        let forgetful = redis(&Health { durable: false, evicts: true, ..health("7.2") });
        assert_eq!(forgetful.iter().filter(|finding| finding.grade == Grade::Notice).count(), 2);
    }
}
