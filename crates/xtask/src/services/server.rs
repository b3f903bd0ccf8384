//! One private server: started, killed, started again. The differences between servers are in [`Kind`].

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::kind::{Kind, Place};
use super::{existing, free_port, is_free};
use crate::process::Process;
use crate::{files, signals};

/// Random bytes in a password: as many as an AES key, and few enough for every client.
const PASSWORD_BYTES: usize = 16;

/// Starts tried in a row: the first, and two after something was mended.
const STARTS_MAX: usize = 3;

/// Lines of a server's log shown when it does not come up.
const LOG_LINES: usize = 15;

/// A private server, running unless it was killed or stopped. Dropped: stopped.
#[derive(Debug)]
pub struct Server<K: Kind> {
    pub(super) kind: K,
    pub(super) place: Place,
    process: Option<Process>,
}

impl<K: Kind> Server<K> {
    /// Starts the server with its data below `base` (`base/redis`, say, and `base/logs/redis.log`) and returns when it
    /// answers. `port`: on which port of 127.0.0.1; `None`: the one it had before if that is free, else any free one.
    ///
    /// # Errors
    /// Not installed, port taken, or it does not come up; the message says what to do or shows the end of the log.
    pub fn start(base: impl AsRef<Path>, port: Option<u16>) -> Result<Self> {
        Self::create(base.as_ref(), port).with_context(|| format!("{} does not start", K::NAME))
    }

    fn create(base: &Path, port: Option<u16>) -> Result<Self> {
        let base = existing(base)?;
        let dir = existing(&base.join(K::NAME))?;
        let log = existing(&base.join("logs"))?.join(format!("{}.log", K::NAME));
        let kept = Kept::read(&dir.join("server.json"))?;
        let port = match port {
            Some(port) => port,
            None => kept.port.filter(|&port| is_free(port)).map_or_else(free_port, Ok)?,
        };
        let place = Place { log, port, password: kept.password, dir };
        Kept { port: Some(port), password: place.password.clone() }.write(&place.dir.join("server.json"))?;
        let kind = K::prepare(&place)?;
        let mut server = Self { kind, place, process: None };
        server.launch()?;
        Ok(server)
    }

    /// The address with user and password, as the product's configuration takes it.
    pub fn url(&self) -> String {
        self.kind.url(&self.place)
    }

    /// The port on 127.0.0.1; the same for the life of this handle.
    pub fn port(&self) -> u16 {
        self.place.port
    }

    /// The password, kept in the server's folder from start to start.
    pub fn password(&self) -> &str {
        &self.place.password
    }

    /// The server's own folder.
    pub fn dir(&self) -> &Path {
        &self.place.dir
    }

    /// The server's log.
    pub fn log(&self) -> &Path {
        &self.place.log
    }

    /// The server's process id; `None` while it is stopped.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// The process is there (which is not to say that it answers).
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.ended().is_none())
    }

    /// How its process ended; `None` while it runs.
    pub(crate) fn how_it_ended(&mut self) -> Option<String> {
        match &mut self.process {
            Some(process) => process.ended().map(|status| status.to_string()),
            None => Some("stopped".into()),
        }
    }

    /// SIGKILL to the server and everything it started, as a crash would. Returns when it is gone.
    pub fn kill9(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill9();
        }
    }

    /// Asks the server to stop, waits up to ten seconds, then kills it. Nothing if it is not running.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.stop();
        }
        self.kind.after_stop();
    }

    /// Starts a server that was killed, stopped or has died, on the same port and with the data it left. Nothing if it
    /// is running.
    ///
    /// # Errors
    /// As [`Server::start`]; the handle stays usable.
    pub fn start_again(&mut self) -> Result<()> {
        if self.is_running() {
            return Ok(());
        }
        self.process = None;
        self.launch().with_context(|| format!("{} does not start", K::NAME))
    }

    /// Stops and starts.
    ///
    /// # Errors
    /// As [`Server::start_again`].
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        self.start_again()
    }

    fn launch(&mut self) -> Result<()> {
        for _ in 1..STARTS_MAX {
            match self.launch_once()? {
                None => return Ok(()),
                Some(mended) => eprintln!("{}: {mended}; starting it again", K::NAME),
            }
        }
        match self.launch_once()? {
            None => Ok(()),
            Some(mended) => bail!("it still does not start after {STARTS_MAX} tries (last: {mended})"),
        }
    }

    /// `None`: it answers. `Some`: it ended at once, for a reason that has been put right.
    fn launch_once(&mut self) -> Result<Option<String>> {
        let log_before = fs::metadata(&self.place.log).map_or(0, |log| log.len());
        self.kind.before_start(&self.place)?;
        let mut process = Process::start(self.kind.command(&self.place)?, K::ASK, &self.place.log)?;
        let started = Instant::now();
        loop {
            if let Some(status) = process.ended() {
                process.kill9(); // what it may have started
                let log = fs::read(&self.place.log).unwrap_or_default();
                let log = String::from_utf8_lossy(log.get(log_before as usize..).unwrap_or_default()).into_owned();
                if let Some(mended) = self.kind.mend(&self.place, &log)? {
                    return Ok(Some(mended));
                }
                let end = files::tail(&self.place.log, LOG_LINES);
                bail!("it ended while starting ({status}); the end of {}:\n{end}", self.place.log.display());
            }
            if signals::stopping() {
                bail!("told to stop");
            }
            if self.kind.is_ready(&self.place)? {
                break;
            }
            if started.elapsed() > K::READY_WITHIN {
                let end = files::tail(&self.place.log, LOG_LINES);
                let seconds = K::READY_WITHIN.as_secs();
                bail!("it does not answer after {seconds} s; the end of {}:\n{end}", self.place.log.display());
            }
            thread::sleep(signals::LOOK_UP);
        }
        self.kind.after_start(&self.place)?;
        self.process = Some(process);
        Ok(None)
    }
}

impl<K: Kind> Drop for Server<K> {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a server's folder remembers from start to start.
struct Kept {
    password: String,
    port: Option<u16>,
}

impl Kept {
    fn read(file: &Path) -> Result<Self> {
        let Ok(text) = fs::read_to_string(file) else {
            return Ok(Self { password: files::random_hex(PASSWORD_BYTES)?, port: None });
        };
        let value: Value = serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))?;
        let password = value["password"].as_str().with_context(|| format!("{} has no password", file.display()))?;
        let port = value["port"].as_u64().and_then(|port| u16::try_from(port).ok());
        Ok(Self { password: password.to_owned(), port })
    }

    fn write(&self, file: &Path) -> Result<()> {
        let value = json!({ "password": self.password, "port": self.port });
        files::write_private(file, &format!("{value:#}\n"))
    }
}
