//! `cargo xtask …`: the developer commands. Everything is in the library; this only turns its answer into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::run(std::env::args().skip(1))
}
