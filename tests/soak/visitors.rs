//! The clients: so many at a time, one visit after the other, until the time is over.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::Client;

use crate::{
    child::Soaked,
    visit::{Place, VISITS, Visit, http},
};

/// What came of the visits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) visits: BTreeMap<&'static str, usize>,
    pub(crate) opened: usize,
    pub(crate) not_opened: usize,
    pub(crate) said_goodbye: usize,
}

pub(crate) async fn come(soaked: &Soaked, long: Duration, clients: u64, seed: u64) -> Tally {
    let (until, http) = (Instant::now() + long, http());
    let client = |number| one_after_the_other(&http, soaked, until, Chance::new(seed, number));
    let tallies = join_all((0..clients).map(client));
    tallies.await.into_iter().fold(Tally::default(), Tally::plus)
}

async fn one_after_the_other(http: &Client, soaked: &Soaked, until: Instant, mut chance: Chance) -> Tally {
    let mut tally = Tally::default();
    while Instant::now() < until {
        let visit = chance.visit();
        let place = Place::new(http, soaked, chance.below(1000));
        let opened = visit.pay(&place).await;
        *tally.visits.entry(visit.name()).or_default() += 1;
        tally.opened += usize::from(opened);
        tally.not_opened += usize::from(!opened);
        tally.said_goodbye += usize::from(opened && visit == Visit::Goodbye);
    }
    tally
}

impl Tally {
    fn plus(mut self, other: Self) -> Self {
        for (name, count) in other.visits {
            *self.visits.entry(name).or_default() += count;
        }
        self.opened += other.opened;
        self.not_opened += other.not_opened;
        self.said_goodbye += other.said_goodbye;
        self
    }
}

/// Xorshift: the same numbers in every run with the same seed.
struct Chance(u64);

impl Chance {
    fn new(seed: u64, client: u64) -> Self {
        Self((seed << 16 | client).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn visit(&mut self) -> Visit {
        let mut left = self.below(VISITS.iter().map(|(weight, _)| weight).sum());
        for (weight, visit) in VISITS {
            if left < weight {
                return visit;
            }
            left -= weight;
        }
        Visit::Nothing
    }
}
