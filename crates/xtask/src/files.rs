//! Files that only their owner may read, and randomness for what is in them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Replaces `path` in one step with a file of mode 0600: a reader sees the old contents or the new, never half.
pub fn write_private(path: &Path, contents: &str) -> Result<()> {
    let fresh = path.with_extension("new");
    let write = || -> io::Result<()> {
        if fresh.exists() {
            fs::remove_file(&fresh)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(contents.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// `bytes` random bytes from the system, as lower-case hex: safe in URLs, TOML and command lines.
pub fn random_hex(bytes: usize) -> Result<String> {
    let mut raw = vec![0; bytes];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut raw)).context("no randomness")?;
    Ok(raw.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Opens a log for appending.
pub fn log_file(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).append(true).open(path).with_context(|| format!("cannot open {}", path.display()))
}

/// The last `lines` lines of a log, indented; empty when there is none.
pub fn tail(path: &Path, lines: usize) -> String {
    /// Enough for a few dozen long lines; logs can be gigabytes.
    const READ_BACK_BYTES: u64 = 16 * 1024;
    let read = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(READ_BACK_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    all[all.len().saturating_sub(lines)..].iter().map(|line| format!("    {line}\n")).collect()
}

/// Where `name` is on the PATH or in the folders that Debian leaves out of an ordinary user's.
pub fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_private_file_is_replaced_and_stays_private() {
        let folder = std::env::temp_dir().join(format!("xtask-files-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("run.json");
        fs::write(&file, "old, and open to all").unwrap();
        write_private(&file, "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left lying about");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn randomness_has_the_length_asked_for_and_differs() {
        let (one, other) = (random_hex(32).unwrap(), random_hex(32).unwrap());
        assert_eq!(one.len(), 64);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one, other);
    }
}
