//! A scripted MCP server on stdin and stdout; see [`gateway_tests::fixture`].

use std::io;

use clap::Parser;
use gateway_tests::fixture::{Options, run};

fn main() -> io::Result<()> {
    run(&Options::parse())
}
