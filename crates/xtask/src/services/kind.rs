//! What the three kinds of server differ in. [`super::server`] holds what they share.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::process::Ask;

/// Where one server lives and how it is reached.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its own folder, absolute.
    pub dir: PathBuf,
    /// Its log.
    pub log: PathBuf,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its password, kept from start to start.
    pub password: String,
}

/// One kind of server.
pub trait Kind: Sized + Send {
    /// Folder, log and progress lines are called this.
    const NAME: &'static str;
    /// How it is asked to stop.
    const ASK: Ask;
    /// A start that takes longer has failed. Generous: a small machine may be compiling at the same time.
    const READY_WITHIN: Duration;

    /// Finds the programs and creates what the first start needs. Called once per handle.
    fn prepare(place: &Place) -> Result<Self>;

    /// What must be in place before each start.
    fn before_start(&mut self, _place: &Place) -> Result<()> {
        Ok(())
    }

    /// The command that runs the server in the foreground.
    fn command(&self, place: &Place) -> Result<Command>;

    /// The server answers. An error means that waiting is pointless.
    fn is_ready(&self, place: &Place) -> Result<bool>;

    /// What is left to do when it answers for the first time; called after each start.
    fn after_start(&self, _place: &Place) -> Result<()> {
        Ok(())
    }

    /// It ended while it was starting. If the reason, to be read in `log_end`, is known and was put right, says what was
    /// done; the start is then tried again.
    fn mend(&self, _place: &Place, _log_end: &str) -> Result<Option<String>> {
        Ok(None)
    }

    /// The address with user and password.
    fn url(&self, place: &Place) -> String;

    /// Helpers of the server that end with it.
    fn after_stop(&mut self) {}
}
