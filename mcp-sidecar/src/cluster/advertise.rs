//! Where the others reach this replica.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::{UdpSocket, lookup_host};

use super::address::Address;
use super::store::RedisAddress;

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

    #[tokio::test]
    async fn what_is_said_wins_then_what_it_listens_on_then_the_interface_towards_redis() {
        assert_eq!(advertised(Some("time-1:80"), "0.0.0.0:3000").await, "time-1:80");
        assert_eq!(advertised(None, "10.1.2.3:3000").await, "10.1.2.3:3000");
        assert_eq!(advertised(None, "0.0.0.0:3000").await, "127.0.0.1:3000");
        assert_eq!(advertised(None, "[::]:3000").await, "127.0.0.1:3000");
    }
}
