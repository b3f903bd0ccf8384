//! npm, and a Node that is new enough for the pages: the installed one, else one that npm brings.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::{files, process};

/// What `web/` is built and tested with at least: its bundler's and its test runner's demand.
const NODE_MIN: (u32, u32) = (20, 19);

/// The one that is brought where the installed one is older (Debian 12 has 18) or missing.
const BROUGHT: &str = "node@22.23.3";

/// A download of some 30 MB.
const BRING_WITHIN: Duration = Duration::from_secs(300);

const BY_HAND: &str = "npm is not installed; install with: apt-get install nodejs npm";

/// npm with these arguments in `folder` of the workspace, run by a Node that is new enough.
///
/// # Errors
/// There is no npm, or no such Node and none could be brought; the message says what to do.
pub fn npm(root: &Path, folder: &str, arguments: &[&str]) -> Result<Command> {
    let npm = files::which("npm").context(BY_HAND)?;
    let mut command = Command::new(&npm);
    command.args(arguments).current_dir(root.join(folder));
    if !installed().is_some_and(is_enough) {
        let node = brought(&npm, &root.join("target/node"))?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(node).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders).context("PATH")?);
    }
    Ok(command)
}

/// Version of the Node on the path.
fn installed() -> Option<(u32, u32)> {
    version(files::which("node")?.into())
}

fn version(node: OsString) -> Option<(u32, u32)> {
    let said = Command::new(node).arg("--version").stdin(Stdio::null()).output().ok()?;
    parse(std::str::from_utf8(&said.stdout).ok()?)
}

/// `v20.19.4` is (20, 19).
fn parse(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

fn is_enough(version: (u32, u32)) -> bool {
    version >= NODE_MIN
}

/// The folder with the Node that the registry has, fetched once.
fn brought(npm: &Path, dir: &Path) -> Result<PathBuf> {
    let bin = dir.join("node_modules/node/bin");
    if version(bin.join("node").into()).is_some_and(is_enough) {
        return Ok(bin);
    }
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let mut install = Command::new(npm);
    install.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"]).arg(dir).arg(BROUGHT);
    let (major, minor) = NODE_MIN;
    let done = process::run(install, BRING_WITHIN)?;
    ensure!(
        done.success(),
        "Node {major}.{minor} or newer is needed, and npm could not bring it; https://nodejs.org has it"
    );
    if !version(bin.join("node").into()).is_some_and(is_enough) {
        bail!("{BROUGHT} was installed into {}, and does not run", dir.display());
    }
    Ok(bin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_and_compared_as_numbers() {
        assert_eq!(parse("v20.19.4\n"), Some((20, 19)));
        assert_eq!(parse("v18.19.0"), Some((18, 19)));
        assert_eq!(parse("20.19"), None);
        assert_eq!(parse(""), None);
        for enough in [(20, 19), (20, 20), (22, 0), (100, 0)] {
            assert!(is_enough(enough));
        }
        for old in [(18, 20), (20, 9), (20, 18)] {
            assert!(!is_enough(old));
        }
    }
}
