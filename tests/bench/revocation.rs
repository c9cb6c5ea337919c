//! How soon a token is refused whose record an operator deletes from Redis.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use auth_server::oauth::secret::Secret;
use auth_server::store::{Backend, StoreConfig};

use crate::cold::{self, ASKED};
use crate::compare::Effort;
use crate::http::Connection;
use crate::mint::{Mint, now};
use crate::redis::Redis;
use crate::verify::{HOST, verify_request};

pub(crate) const WHAT: &str = "a token deleted from Redis is refused after, ms";

/// Asked before the deletion, so that the answer is remembered.
const ASKED_BEFORE: usize = 10;

/// Milliseconds from the deletion's confirmation to the end of the first refusal, for each token.
pub(crate) async fn run(effort: Effort) -> Result<Vec<f64>, Box<dyn Error>> {
    let (mint, redis, folder) = (Mint::new(format!("https://{HOST}"))?, Redis::start()?, tempfile::tempdir()?);
    let count = 10 * effort.rounds;
    let backend = Backend::Redis { url: Secret::new(redis.url(0)), password: None, timeout: Duration::from_secs(10) };
    mint.fill(&StoreConfig { backend, clock: now }, ASKED, count).await?;
    let server = cold::program(&mint, "auth-server", folder.path(), Some(redis.url(0))).start().await?;
    let mut connection = Connection::open(server.addr).await?;
    let mut operator = TcpStream::connect(redis.addr())?;
    let mut seen = Vec::new();
    for (i, token) in mint.tokens(ASKED, count).iter().enumerate() {
        let ask = verify_request(token);
        for _ in 0..ASKED_BEFORE {
            if connection.exchange(&ask).await?.status != 200 {
                return Err("a good token is refused".into());
            }
        }
        delete(&mut operator, &mint.record(ASKED, i).claims.jti.to_string())?;
        let deleted = Instant::now();
        while connection.exchange(&ask).await?.status == 200 {}
        seen.push(deleted.elapsed().as_secs_f64() * 1e3);
    }
    Ok(seen)
}

fn delete(redis: &mut TcpStream, jti: &str) -> io::Result<()> {
    write!(redis, "DEL oauth:token:{jti}\r\n")?;
    let mut answer = [0; 4];
    redis.read_exact(&mut answer)?;
    if answer == *b":1\r\n" { Ok(()) } else { Err(io::Error::other("there was nothing to delete")) }
}
