//! Postgres with durable commits, in a cluster of our own with one superuser and one database, both `seckill`.
//!
//! Postgres refuses to run as root, so for root it runs as the user `postgres`, who then owns the folder.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::kind::{Kind, Place};
use crate::files;
use crate::process::{self, Ask, tethered};

/// Superuser and database.
const NAME: &str = "seckill";

/// The kernel allows 107 bytes for the path of a socket, of which `/.s.PGSQL.65535` takes fifteen.
const SOCKET_FOLDER_MAX_BYTES: usize = 90;

/// `initdb` writes some 40 MB and syncs them; on a busy disk that can take a while.
const INITDB_WITHIN: Duration = Duration::from_secs(180);

/// What makes a Postgres a Postgres here.
#[derive(Debug)]
pub struct PostgresKind {
    programs: PathBuf,
    owner: Option<Owner>,
    /// The folder that holds `data`: the server's own, or one that `postgres` can reach.
    home: PathBuf,
}

/// The user that Postgres runs as when we are root.
#[derive(Debug, Clone, Copy)]
struct Owner {
    user: u32,
    group: u32,
}

impl Kind for PostgresKind {
    const NAME: &'static str = "postgres";
    // SIGTERM would wait for the clients to leave.
    const ASK: Ask = Ask::Int;
    const READY_WITHIN: Duration = Duration::from_secs(120);

    fn prepare(place: &Place) -> Result<Self> {
        let programs = programs().context("postgres is not installed")?;
        let owner = if fs::metadata("/proc/self").context("cannot tell who we are")?.uid() == 0 {
            Some(Owner::postgres()?)
        } else {
            None
        };
        let home = reachable(&place.dir, owner)?;
        let kind = Self { programs, owner, home };
        kind.initdb(place)?;
        Ok(kind)
    }

    fn command(&self, place: &Place) -> Result<Command> {
        let sockets = self.home.join("sockets");
        fs::create_dir_all(&sockets)?;
        self.give(&sockets)?;
        let mut command = tethered(&self.programs.join("postgres"), Self::ASK);
        command.arg("-D").arg(self.home.join("data"));
        command.args(["-h", "127.0.0.1", "-p", &place.port.to_string()]);
        let short_enough = sockets.as_os_str().len() <= SOCKET_FOLDER_MAX_BYTES;
        command.arg("-k").arg(if short_enough { sockets.as_os_str() } else { "".as_ref() });
        for setting in [
            "fsync=on",
            "synchronous_commit=on",
            "max_connections=200",
            // Enough that the tables of a large sale stay in memory, and little enough for a small machine.
            "shared_buffers=256MB",
            // The default of 1 GB means a checkpoint every minute at ten thousand orders a second, and after each one every
            // page that is touched goes to the log as a whole.
            "max_wal_size=4GB",
        ] {
            command.args(["-c", setting]);
        }
        self.become_owner(&mut command);
        command.current_dir(&self.home);
        Ok(command)
    }

    fn is_ready(&self, place: &Place) -> Result<bool> {
        Ok(self.psql(place, "postgres", "select 1").is_ok())
    }

    fn after_start(&self, place: &Place) -> Result<()> {
        let found = self.psql(place, "postgres", &format!("select 1 from pg_database where datname = '{NAME}'"))?;
        if found.is_empty() {
            self.psql(place, "postgres", &format!("create database {NAME}"))?;
        }
        Ok(())
    }

    /// After a SIGKILL the children take a moment to notice that their parent is gone.
    fn mend(&self, _place: &Place, log_end: &str) -> Result<Option<String>> {
        if !log_end.contains("shared memory block") {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_secs(1));
        Ok(Some("children of the killed server were still there".into()))
    }

    fn url(&self, place: &Place) -> String {
        format!("postgres://{NAME}:{}@127.0.0.1:{}/{NAME}", place.password, place.port)
    }
}

impl PostgresKind {
    /// Creates the cluster, under another name until it is complete.
    fn initdb(&self, place: &Place) -> Result<()> {
        let data = self.home.join("data");
        if data.exists() {
            return Ok(());
        }
        let fresh = self.home.join("data.new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).with_context(|| format!("cannot remove {}", fresh.display()))?;
        }
        let password = self.home.join("initdb-password");
        files::write_private(&password, &format!("{}\n", place.password))?;
        self.give(&password)?;
        let mut initdb = Command::new(self.programs.join("initdb"));
        initdb.arg("-D").arg(&fresh).arg("--pwfile").arg(&password).args(["--username", NAME]);
        initdb.args(["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"]).current_dir(&self.home);
        self.become_owner(&mut initdb);
        let status = process::run_logged(initdb, INITDB_WITHIN, &place.log)?;
        fs::remove_file(&password)?;
        ensure!(status.success(), "initdb failed ({status}):\n{}", files::tail(&place.log, 10));
        fs::rename(&fresh, &data).context("cannot name the new cluster")
    }

    /// What a statement printed, one row a line.
    fn psql(&self, place: &Place, database: &str, statement: &str) -> Result<String> {
        let output = Command::new(self.programs.join("psql"))
            .args(["-h", "127.0.0.1", "-p", &place.port.to_string(), "-U", NAME, "-d", database])
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement])
            .env("PGPASSWORD", &place.password)
            .env("PGCONNECT_TIMEOUT", "5")
            .stdin(Stdio::null())
            .output()
            .context("cannot run psql")?;
        if !output.status.success() {
            bail!("{statement}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn become_owner(&self, command: &mut Command) {
        if let Some(Owner { user, group }) = self.owner {
            command.uid(user).gid(group);
        }
    }

    fn give(&self, path: &Path) -> Result<()> {
        match self.owner {
            Some(owner) => owner.take(path),
            None => Ok(()),
        }
    }
}

impl Owner {
    fn postgres() -> Result<Self> {
        let number = |flag: &str| -> Result<u32> {
            let output = Command::new("id").args([flag, "postgres"]).stderr(Stdio::null()).output()?;
            let text = String::from_utf8_lossy(&output.stdout);
            text.trim().parse().context("we are root, Postgres refuses root, and there is no user `postgres`")
        };
        Ok(Self { user: number("-u")?, group: number("-g")? })
    }

    fn take(self, path: &Path) -> Result<()> {
        chown(path, Some(self.user), Some(self.group)).with_context(|| format!("cannot give away {}", path.display()))
    }

    /// Every folder above `dir` lets this user through.
    fn reaches(self, dir: &Path) -> bool {
        dir.ancestors().skip(1).all(|folder| {
            fs::metadata(folder).is_ok_and(|folder| {
                let mode = folder.permissions().mode();
                mode & 0o001 != 0
                    || (folder.uid() == self.user && mode & 0o100 != 0)
                    || (folder.gid() == self.group && mode & 0o010 != 0)
            })
        })
    }
}

/// The folder for data and sockets, owned by `owner`. Below root's home, say, `postgres` cannot reach `dir`: then it is
/// in `/var/tmp`, and `dir/elsewhere` points to it.
fn reachable(dir: &Path, owner: Option<Owner>) -> Result<PathBuf> {
    let Some(owner) = owner else { return Ok(dir.to_path_buf()) };
    if owner.reaches(dir) {
        owner.take(dir)?;
        return Ok(dir.to_path_buf());
    }
    let link = dir.join("elsewhere");
    if let Ok(found) = link.canonicalize() {
        return Ok(found);
    }
    let elsewhere = PathBuf::from(format!("/var/tmp/seckill-postgres-{}", files::random_hex(6)?));
    fs::create_dir(&elsewhere).with_context(|| format!("cannot create {}", elsewhere.display()))?;
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o700))?;
    owner.take(&elsewhere)?;
    // A link whose target was cleaned away stands in the way.
    if link.is_symlink() {
        fs::remove_file(&link)?;
    }
    symlink(&elsewhere, &link).context("cannot note where the data is")?;
    Ok(elsewhere)
}

/// The folder of Postgres's programs, the newest version's where there are several. Debian keeps the server's programs
/// off the PATH.
pub(crate) fn programs() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .collect();
    versions.sort();
    let on_path = || files::which("initdb").and_then(|file| file.canonicalize().ok()?.parent().map(Path::to_path_buf));
    versions.pop().map(|(_, folder)| folder).or_else(on_path)
}
