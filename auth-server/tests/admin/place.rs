//! A gateway's data, and its operator at the command line.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use auth_server::store::{Backend, Store};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    ground::{Ground, embedded_in, on_redis},
    redis_server::RedisServer,
};

/// No store is open: the embedded file has one owner, and here that is the command.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    pub(crate) redis: Option<RedisServer>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// With one login: `client_1`, allowed in by `octocat`, token `first`, refresh token `refresh-0`.
    pub(crate) async fn both() -> [Self; 2] {
        let mut places = Vec::new();
        for ground in [Ground::embedded(), Ground::redis()] {
            ground.exchanged().await;
            let Ground { store, redis, dir } = ground;
            drop(store);
            places.push(Self { dir, redis });
        }
        places.try_into().ok().unwrap()
    }

    pub(crate) fn store(&self) -> Store {
        let config = self.redis.as_ref().map_or_else(|| embedded_in(self.dir.path()), on_redis);
        Store::open(&config).unwrap()
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_auth-server"));
        command.env_clear().current_dir(self.dir.path()).stdin(Stdio::null());
        match self.redis.as_ref().map(on_redis) {
            Some(config) => {
                let Backend::Redis { url, .. } = config.backend else { unreachable!("it is Redis") };
                command.env("REDIS_URL", url.expose()).env("REDIS_TIMEOUT_SECONDS", "30");
            }
            None => {
                command.env("DATA_DIR", self.dir.path().join("data"));
            }
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        done(self.command().args(arguments).output().unwrap())
    }

    /// What a command that succeeds prints.
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert_eq!(done.code, 0, "{arguments:?}: {done:?}");
        done.out
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.says(arguments)).unwrap()
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }
}

pub(crate) fn done(output: Output) -> Done {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}
