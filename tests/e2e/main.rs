//! The gateway as its users meet it. One binary, because linking costs more than running.

mod github_standin;
