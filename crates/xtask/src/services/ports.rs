//! Free TCP ports of 127.0.0.1.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context, Result, bail};

use crate::files;

/// Below these are the ports that people choose by hand.
const LOWEST: u16 = 15_000;

/// The first port that the system gives to outgoing connections, on Linux unless somebody changed it.
const EPHEMERAL: u16 = 32_768;

/// A port that nobody listens on and that this process has not handed out before. Somebody else may still take it
/// before it is used.
///
/// It is below the ports that the system gives to outgoing connections: a server that was killed must find its port
/// free when it comes back, also while a load test opens connections by the thousand.
///
/// # Errors
/// No free port was found.
pub fn free_port() -> Result<u16> {
    static HANDED_OUT: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);
    /// Of some 17,000; so many in a row are taken only when nearly all are.
    const TRIES: usize = 200;
    for _ in 0..TRIES {
        let random = u16::from_str_radix(&files::random_hex(2)?, 16).context("four hex digits are a number")?;
        let port = LOWEST + random % (ephemeral().max(LOWEST + 1) - LOWEST);
        if is_free(port) && HANDED_OUT.lock().unwrap_or_else(PoisonError::into_inner).insert(port) {
            return Ok(port);
        }
    }
    bail!("no free port on 127.0.0.1 above {LOWEST}")
}

fn ephemeral() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    range.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(EPHEMERAL)
}

/// Nobody listens on this port of 127.0.0.1 at the moment.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_handed_out_twice() {
        let ports: HashSet<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 50);
    }

    #[test]
    fn a_port_that_is_listened_on_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        drop(listener);
        assert!(is_free(port));
    }
}
