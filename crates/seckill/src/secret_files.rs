//! Secrets in files: `admin_key_file = "/run/secrets/admin"` instead of `admin_key`, as containers and service managers
//! hand them out. Read once, at start; a trailing newline is cut.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use config::{Map, Value, ValueKind};

use crate::safety::Findings;

/// Keys that can be given as a file. Those of `secrets.token_keys` (`secret_file`) as well.
pub const KEYS: &[(&str, &str)] = &[
    ("secrets", "admin_key"),
    ("secrets", "metrics_key"),
    ("secrets", "token_key"),
    ("secrets", "webhook_secret"),
    ("buyers", "hs256_secret"),
    ("redis", "url"),
    ("rabbitmq", "url"),
    ("postgres", "url"),
];

/// Longest secret that is read, in bytes: a wrong path must not fill the memory.
const SECRET_MAX: u64 = 65_536;

/// Puts what the files hold where it belongs.
pub fn read(root: &mut Map<String, Value>, findings: &mut Findings) {
    for (section, key) in KEYS {
        if let Some(ValueKind::Table(table)) = root.get_mut(*section).map(|value| &mut value.kind) {
            replace(table, key, &format!("{section}.{key}"), findings);
        }
    }
    let Some(ValueKind::Table(secrets)) = root.get_mut("secrets").map(|value| &mut value.kind) else { return };
    let Some(ValueKind::Array(keys)) = secrets.get_mut("token_keys").map(|value| &mut value.kind) else { return };
    for key in keys {
        if let ValueKind::Table(table) = &mut key.kind {
            replace(table, "secret", "secrets.token_keys.secret", findings);
        }
    }
}

fn replace(table: &mut Map<String, Value>, key: &str, name: &str, findings: &mut Findings) {
    let Some(path) = table.remove(&format!("{key}_file")) else { return };
    if table.contains_key(key) {
        findings.refuse(format!("{name}_file"), format!("{name} is given as well; one of them has to go"));
        return;
    }
    let path = path.to_string();
    match secret(&path) {
        Ok((text, open)) => {
            if open {
                findings.warn(
                    format!("{name}_file"),
                    format!("{path} can be read by every user of this machine (chmod o-r)"),
                );
            }
            table.insert(key.to_owned(), Value::new(None, ValueKind::String(text)));
        }
        Err(why) => findings.refuse(format!("{name}_file"), format!("{path} cannot be read: {why}")),
    }
}

/// The text, and whether everybody may read it.
fn secret(path: &str) -> Result<(String, bool), String> {
    let about = fs::metadata(path).map_err(|why| why.to_string())?;
    if !about.is_file() || about.len() > SECRET_MAX {
        return Err(format!("it is no file of at most {SECRET_MAX} bytes"));
    }
    // The error of a text that is not UTF-8 quotes nothing.
    let text = fs::read_to_string(path).map_err(|why| why.to_string())?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok((text.to_owned(), is_open(&about)))
}

/// May every user of this machine read it?
pub fn is_open(about: &fs::Metadata) -> bool {
    about.permissions().mode() & 0o004 != 0
}
