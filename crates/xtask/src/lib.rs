//! Developer commands (`cargo xtask up`, `cargo xtask test`, `cargo xtask bench`,
//! `cargo xtask chaos`) and, for the integration tests, [`services`]:
//! private Redis, RabbitMQ and Postgres servers that start, die and come back when a test says so.
//!
//! Nothing here is part of the product. It knows the product only from outside: its command line, its
//! configuration file and its HTTP routes. The dependencies are few on purpose, because everybody waits for this
//! crate before anything else can start.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

use std::process::ExitCode;

mod args;
mod audit;
mod bench;
mod chaos;
mod files;
mod http;
mod node;
mod packages;
mod process;
pub mod services;
mod signals;
mod stages;
mod steps;
mod up;
mod workspace;

/// Exit code for a command line that cannot be understood, as in the product itself.
const EXIT_USAGE: u8 = 2;

/// Runs one developer command: exit 0 fine, 1 failed, 2 usage.
pub fn run(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let outcome = match args::parse(arguments) {
        Ok(args::Request::Help) => {
            print!("{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(args::Request::Up(options)) => up::up(&options).map(|()| true),
        Ok(args::Request::Test(options)) => stages::test(&options),
        Ok(args::Request::Audit) => audit::audit(),
        Ok(args::Request::Bench(options)) => bench::bench(&options),
        Ok(args::Request::Chaos(options)) => chaos::chaos(&options),
        Err(usage) => {
            eprintln!("xtask: {usage}\n\n{}", args::HELP);
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        // What failed has been said, in the table.
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
