//! Redis, with the settings that the product assumes: an append-only file flushed every second, no eviction, and no
//! quiet start from a file whose end is missing.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::kind::{Kind, Place};
use crate::files;
use crate::process::{Ask, tethered};

/// What makes a Redis a Redis here.
#[derive(Debug)]
pub struct RedisKind {
    program: PathBuf,
}

impl Kind for RedisKind {
    const NAME: &'static str = "redis";
    const ASK: Ask = Ask::Term;
    const READY_WITHIN: Duration = Duration::from_secs(60);

    fn prepare(_place: &Place) -> Result<Self> {
        let program = files::which("redis-server").context("redis-server is not installed")?;
        Ok(Self { program })
    }

    fn before_start(&mut self, place: &Place) -> Result<()> {
        // The log is made anew between two sales and not in the middle of one: that costs a fork, and a core for seconds.
        // In a file, not on the command line, where every user of the machine could read the password.
        let settings = format!(
            "bind 127.0.0.1\nport {port}\ndir {dir}\nrequirepass {password}\nsave \"\"\nappendonly yes\n\
             appendfsync everysec\nauto-aof-rewrite-min-size 1gb\naof-load-truncated no\nmaxmemory-policy noeviction\ndaemonize no\nlogfile \"\"\n",
            port = place.port,
            dir = quoted(&place.dir.display().to_string()),
            password = place.password,
        );
        files::write_private(&place.dir.join("redis.conf"), &settings)
    }

    fn command(&self, place: &Place) -> Result<Command> {
        let mut command = tethered(&self.program, Self::ASK);
        command.arg(place.dir.join("redis.conf")).current_dir(&place.dir);
        Ok(command)
    }

    fn is_ready(&self, place: &Place) -> Result<bool> {
        match ping(place) {
            Ok(answer) if answer.starts_with("+PONG") => Ok(true),
            // Still reading its file.
            Ok(answer) if answer.starts_with("-LOADING") => Ok(false),
            Ok(answer) => bail!("port {} is answered by a Redis that is not ours: {}", place.port, answer.trim()),
            Err(_) => Ok(false),
        }
    }

    /// A file cut short by a crash is put aside and Redis starts empty: the product notices an empty Redis and fills it
    /// from Postgres, while a Redis that silently forgot its last second is the harder case to see.
    fn mend(&self, place: &Place, log_end: &str) -> Result<Option<String>> {
        if !log_end.contains("append only file") && !log_end.contains("AOF") {
            return Ok(None);
        }
        let folder = place.dir.join("appendonlydir");
        let aside = (1..)
            .map(|n| place.dir.join(format!("appendonlydir.bad-{n}")))
            .find(|path| !path.exists())
            .context("no name is left for the bad file")?;
        if !folder.exists() {
            return Ok(None);
        }
        fs::rename(&folder, &aside).with_context(|| format!("cannot move {}", folder.display()))?;
        Ok(Some(format!("its append-only file is damaged and was put aside as {}", aside.display())))
    }

    fn url(&self, place: &Place) -> String {
        // The user is named because redis-cli wants it so; it is the one that has no name otherwise.
        format!("redis://default:{}@127.0.0.1:{}/0", place.password, place.port)
    }
}

/// A word of Redis's configuration file.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The answer to PING, after AUTH.
fn ping(place: &Place) -> std::io::Result<String> {
    let patience = Duration::from_secs(2);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, place.port));
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    write!(stream, "AUTH {}\r\nPING\r\n", place.password)?;
    let mut reader = BufReader::new(stream);
    let (mut auth, mut pong) = (String::new(), String::new());
    reader.read_line(&mut auth)?;
    if !auth.starts_with("+OK") {
        return Ok(auth);
    }
    reader.read_line(&mut pong)?;
    Ok(pong)
}
