//! Are the servers installed, and if not: install Debian's packages, or say which.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::files;
use crate::process;
use crate::services::Wanted;

/// Long enough for a slow mirror.
const APT_WITHIN: Duration = Duration::from_secs(900);

/// Sees to it that the wanted servers are installed; `install`: apt-get may be used. Says what was done.
///
/// # Errors
/// Something is missing and may not or cannot be installed; the message is the command to run.
pub fn ensure(wanted: Wanted, install: bool, log: &Path) -> Result<String> {
    let missing = missing(wanted);
    if missing.is_empty() {
        return Ok("installed".into());
    }
    let by_hand = format!("apt-get install {}", missing.join(" "));
    let Some(root) = as_root().filter(|_| install && files::which("apt-get").is_some()) else {
        bail!("{} missing; install with: {by_hand}", if missing.len() == 1 { "a server is" } else { "servers are" });
    };
    // The list of packages is fetched only when the one at hand does not do: that takes longer than the rest.
    let done = apt(&root, &install_arguments(&missing), log)?
        || (apt(&root, &["update"], log)? && apt(&root, &install_arguments(&missing), log)?);
    if !done {
        bail!("`{by_hand}` failed; the end of {}:\n{}", log.display(), files::tail(log, 15));
    }
    Ok(format!("installed just now: {}", missing.join(", ")))
}

/// Debian packages of the wanted servers that are not there.
fn missing(wanted: Wanted) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if wanted.redis && files::which("redis-server").is_none() {
        missing.push("redis-server");
    }
    if wanted.rabbitmq && files::which("rabbitmq-server").is_none() {
        missing.push("rabbitmq-server");
    }
    if wanted.postgres && crate::services::postgres_programs().is_none() {
        missing.push("postgresql");
    }
    missing
}

fn install_arguments<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["install", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold"];
    arguments.extend(packages);
    arguments
}

/// What has to stand before a command so that it runs as root; `None`: it cannot.
fn as_root() -> Option<Vec<&'static str>> {
    let says = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()
    };
    if says("id", &["-u"])?.stdout.trim_ascii() == b"0" {
        return Some(Vec::new());
    }
    says("sudo", &["-n", "true"])?.status.success().then(|| vec!["sudo", "-n"])
}

fn apt(root: &[&str], arguments: &[&str], log: &Path) -> Result<bool> {
    // RUNLEVEL=1 keeps the packages from starting the system's own services; we run private ones.
    let words = root.iter().chain(&["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get"]);
    let mut words = words.chain(arguments);
    let mut command = Command::new(words.next().unwrap_or(&"env"));
    command.args(words);
    Ok(process::run_logged(command, APT_WITHIN, log)?.success())
}
