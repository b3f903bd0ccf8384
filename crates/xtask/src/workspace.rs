//! Where the workspace, its cargo and its built program are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The folder of the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    // `cargo run` names the folder it runs from; the built-in one serves a binary that was started by hand.
    let own =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.ancestors().nth(2).map_or(own.clone(), Path::to_path_buf)
}

/// The cargo that started us, run in the workspace.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    // What `cargo run` tells about this crate must not reach the builds we start.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// The program as built by `cargo build --release -p seckill`: beside our own, whatever the target folder is.
pub fn program() -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find the running program")?;
    Ok(own.with_file_name("seckill"))
}
