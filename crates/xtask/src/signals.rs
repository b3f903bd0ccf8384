//! "Stop", as said by SIGINT, SIGTERM or a closed terminal. One flag for the process, as the signals are the
//! process's too; whoever waits for something looks at it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static STOPPING: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// How often a wait looks up: short enough to feel immediate, long enough to cost nothing.
pub const LOOK_UP: Duration = Duration::from_millis(50);

/// From now on a signal sets the flag instead of ending the process. A library user who never calls this keeps the
/// ordinary behaviour.
pub fn install() -> Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&STOPPING)).context("cannot listen for signals")?;
    }
    Ok(())
}

/// Somebody wants us to stop.
pub fn stopping() -> bool {
    STOPPING.load(Ordering::Relaxed)
}
