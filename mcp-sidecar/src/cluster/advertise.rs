//! Where the others reach this replica.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::{UdpSocket, lookup_host};

use super::address::Address;
use super::store::RedisAddress;
use crate::mcp::origin::is_loopback;

/// How this replica's address is found.
#[derive(Debug)]
pub(super) enum Advertised {
    Known(Address),
    /// It listens on every interface: the one that leads to Redis is the one that replicas share.
    TowardsRedis {
        host: String,
        redis_port: u16,
        listening: SocketAddr,
    },
}

impl Advertised {
    pub(super) fn new(given: Option<Address>, listening: SocketAddr, redis: &RedisAddress) -> Self {
        match given {
            Some(address) => Self::Known(address),
            None if !listening.ip().is_unspecified() => Self::Known(listening.into()),
            None => Self::TowardsRedis { host: redis.host.clone(), redis_port: redis.port, listening },
        }
    }

    /// An address that leads nowhere else, while Redis, and so perhaps another replica, is on another machine. Those of
    /// one machine may share a Redis that is not there, so nothing is refused.
    pub(super) fn stays_here(&self, redis: &RedisAddress) -> Option<&Address> {
        match self {
            Self::Known(address) if !is_loopback(&redis.host) => {
                Some(address).filter(|known| is_loopback(known.host()))
            }
            Self::Known(_) | Self::TowardsRedis { .. } => None,
        }
    }

    /// The name of a Redis that is not up yet may not resolve yet either.
    pub(super) async fn address(&self) -> io::Result<Address> {
        match self {
            Self::Known(address) => Ok(address.clone()),
            Self::TowardsRedis { host, redis_port, listening } => {
                let ip = interface_towards(host, *redis_port, listening.ip()).await?;
                Ok(SocketAddr::new(ip, listening.port()).into())
            }
        }
    }
}

/// Asks the kernel which way it would go; nothing is sent.
async fn interface_towards(host: &str, port: u16, listening: IpAddr) -> io::Result<IpAddr> {
    let mut candidates = lookup_host((host, port)).await?;
    let same_family = candidates.find(|addr| addr.is_ipv4() || listening.is_ipv6());
    let redis = same_family.ok_or_else(|| io::Error::other("no interface towards Redis: say --advertise"))?;
    let socket = UdpSocket::bind(if redis.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).await?;
    socket.connect(redis).await?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn advertised(given: Option<&str>, listening: &str) -> String {
        let redis = RedisAddress::parse("redis://127.0.0.1:6379", None).unwrap();
        let given = given.map(|text| Address::parse(text).unwrap());
        let found = Advertised::new(given, listening.parse().unwrap(), &redis);
        found.address().await.unwrap().to_string()
    }

    #[test]
    fn a_loopback_address_stays_here_and_the_interface_towards_redis_is_where_redis_is() {
        for (given, listening, redis, warns) in [
            (None, "127.0.0.1:3000", "redis:6379", true),
            (None, "[::1]:3000", "10.0.0.9", true),
            (Some("localhost:3000"), "0.0.0.0:3000", "redis", true),
            (Some("[::1]:3000"), "0.0.0.0:3000", "redis", true),
            (Some("time-1:3000"), "127.0.0.1:3000", "redis", false),
            (None, "0.0.0.0:3000", "redis", false),
            (None, "10.1.2.3:3000", "redis", false),
            (None, "127.0.0.1:3000", "localhost:6379", false),
            (None, "127.0.0.1:3000", "127.0.0.1", false),
            (None, "[::1]:3000", "[::1]:6379", false),
        ] {
            let address = given.map(|text| Address::parse(text).unwrap());
            let redis = RedisAddress::parse(&format!("redis://{redis}"), None).unwrap();
            let advertised = Advertised::new(address, listening.parse().unwrap(), &redis);
            assert_eq!(advertised.stays_here(&redis).is_some(), warns, "{advertised:?}");
        }
    }

    #[tokio::test]
    async fn what_is_said_wins_then_what_it_listens_on_then_the_interface_towards_redis() {
        assert_eq!(advertised(Some("time-1:80"), "0.0.0.0:3000").await, "time-1:80");
        assert_eq!(advertised(None, "10.1.2.3:3000").await, "10.1.2.3:3000");
        assert_eq!(advertised(None, "0.0.0.0:3000").await, "127.0.0.1:3000");
        assert_eq!(advertised(None, "[::]:3000").await, "127.0.0.1:3000");
    }
}
