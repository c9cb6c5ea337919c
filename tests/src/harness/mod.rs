//! Everything a test starts, and how it finds, watches and ends it. Nothing outlives its guard.

mod balancer;
mod certificate;
mod chromium;
mod descendants;
mod family;
mod gateway;
mod original;
mod paths;
mod ports;
mod process;
mod redis;
mod traefik;
mod upstream;
mod wait;

pub use balancer::Balancer;
pub use certificate::Certificate;
pub use chromium::{Chromium, Look};
pub use descendants::{Descendant, descendants};
pub use family::Family;
pub use gateway::{AuthServer, Gateway, Setup, StoreKind};
pub use original::python_service;
pub use paths::{artifacts, binary, repository, tool};
pub use ports::free_port;
pub use process::Process;
pub use redis::Redis;
pub use traefik::Traefik;
pub use upstream::Headers;
pub use wait::{eventually, within};
