//! `/verify` with tokens that were never seen before, in a store that holds few others and in one that holds a million.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use auth_server::oauth::secret::Secret;
use auth_server::store::{Backend, StoreConfig};
use tempfile::TempDir;

use crate::compare::{Effort, Footprint, Measured};
use crate::load::{HttpLoad, Sample, once};
use crate::mint::{Mint, now};
use crate::places::built;
use crate::process::Program;
use crate::redis::Redis;
use crate::verify::{HOST, probe, serve, settings, verify_request};

pub(crate) const EMBEDDED: &str = "embedded store";
pub(crate) const ON_REDIS: &str = "Redis";
pub(crate) const FULL_EMBEDDED: &str = "embedded store, full";
pub(crate) const FULL_REDIS: &str = "Redis, full";
pub(crate) const LOADS: [&str; 4] = [
    "every token new, 64 connections",
    "every token new, 1 connection",
    "one token, 64 connections",
    "one token, 1 connection",
];

/// The tokens that are asked about, and those that are only there.
pub(crate) const ASKED: &str = "asked";
const STORED: &str = "stored";
const CONNECTIONS: usize = 64;

/// One store and the program on it.
struct Place {
    program: Program,
    warm: String,
    _redis: Option<Redis>,
    _data: TempDir,
}

pub(crate) async fn run(effort: Effort) -> Result<Vec<Measured>, Box<dyn Error>> {
    let mint = Mint::new(format!("https://{HOST}"))?;
    let tokens = mint.tokens(ASKED, effort.cold);
    let requests: Vec<Vec<u8>> = tokens.iter().map(|token| verify_request(token)).collect();
    let places = [
        embedded(&mint, EMBEDDED, effort.cold, 0).await?,
        embedded(&mint, FULL_EMBEDDED, effort.cold, effort.stored).await?,
        redis(&mint, ON_REDIS, effort.cold, 0).await?,
        redis(&mint, FULL_REDIS, effort.cold, effort.stored).await?,
    ];
    let mut measured: Vec<Measured> = places.iter().map(|place| empty(place.program.name)).collect();
    for _ in 0..effort.rounds {
        for (place, measured) in places.iter().zip(&mut measured) {
            for (label, sample) in LOADS.into_iter().zip(place.round(&requests, effort.time).await?) {
                measured.loads.entry(label).or_default().push(sample);
            }
        }
    }
    Ok(measured)
}

fn empty(name: &'static str) -> Measured {
    Measured { name, loads: Default::default(), lost: Default::default(), footprint: Footprint::default() }
}

impl Place {
    /// In a process that has just been started, so that it has seen none of the tokens.
    async fn round(&self, requests: &[Vec<u8>], time: Duration) -> Result<[Sample; 4], Box<dyn Error>> {
        let running = self.program.start().await?;
        let warm = verify_request(&self.warm);
        // A quarter for the one connection, which is slower by as much.
        let (one, many) = requests.split_at(requests.len() / 4);
        let shares: Vec<_> = many.chunks(many.len().div_ceil(CONNECTIONS)).collect();
        let again = |connections| HttpLoad {
            addr: running.addr,
            process: running.id(),
            requests: vec![warm.clone(); connections],
            expected: "",
            every: None,
        };
        // The known token first: meanwhile a start ends all that it does beside its answers.
        let many_known = again(CONNECTIONS).run(time / 3).await?;
        let one_known = again(1).run(time / 3).await?;
        let many_new = once(running.addr, running.id(), &warm, &shares).await?;
        let one_new = once(running.addr, running.id(), &warm, &[one]).await?;
        Ok([many_new, one_new, many_known, one_known])
    }
}

async fn embedded(mint: &Mint, name: &'static str, asked: usize, stored: usize) -> Result<Place, Box<dyn Error>> {
    let data = in_memory()?;
    let config = StoreConfig { backend: Backend::Embedded { data_dir: data.path().to_owned() }, clock: now };
    mint.fill(&config, ASKED, asked).await?;
    mint.fill(&config, STORED, stored).await?;
    Ok(Place { program: program(mint, name, data.path(), None), warm: mint.token(ASKED, 0), _redis: None, _data: data })
}

async fn redis(mint: &Mint, name: &'static str, asked: usize, stored: usize) -> Result<Place, Box<dyn Error>> {
    let (data, redis) = (in_memory()?, Redis::start()?);
    let backend = Backend::Redis { url: Secret::new(redis.url(0)), password: None, timeout: Duration::from_secs(10) };
    mint.fill(&StoreConfig { backend, clock: now }, ASKED, asked).await?;
    mint.fill_redis(redis.addr(), ASKED, STORED, stored)?;
    let program = program(mint, name, data.path(), Some(redis.url(0)));
    Ok(Place { program, warm: mint.token(ASKED, 0), _redis: Some(redis), _data: data })
}

/// A folder that no disk slows down: a million durable writes are only the preparation.
fn in_memory() -> std::io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    if fs::metadata(memory).is_ok_and(|found| found.is_dir()) { TempDir::new_in(memory) } else { TempDir::new() }
}

pub(crate) fn program(mint: &Mint, name: &'static str, data: &Path, redis: Option<String>) -> Program {
    let (binary, data, key) = (built("auth-server"), data.to_owned(), mint.key.clone());
    let start = move |port: u16| {
        let mut command = serve(&binary, port);
        settings(&mut command).env("DATA_DIR", &data).env("JWT_PRIVATE_KEY_B64", &key);
        command.envs(redis.iter().map(|url| ("REDIS_URL", url)));
        command
    };
    Program { name, command: Box::new(start), probe: probe() }
}
