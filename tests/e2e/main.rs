//! The gateway as its users meet it. One binary, because linking costs more than running.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod github_standin;
