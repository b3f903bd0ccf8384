//! `run.json`: what is running where, for scripts. Written when everything answers, again whenever a process id
//! changes, and removed at the end.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use serde_json::{Value, json};

use super::ports::Ports;
use super::settings::{Addresses, Secrets};
use crate::files;

/// What stays the same while the stack runs.
pub struct RunFile {
    pub file: PathBuf,
    pub config: PathBuf,
    pub ports: Ports,
    pub addresses: Addresses,
    pub secrets: Secrets,
}

impl RunFile {
    /// The file's contents. A list of ids has `null` where a process is being started again, and a server that is not
    /// ours has none.
    fn contents(&self, pids: &BTreeMap<String, Option<u32>>) -> Value {
        let http = |port: u16| format!("http://127.0.0.1:{port}");
        let numbered = |role: &str| -> Vec<Option<u32>> {
            (1..).map_while(|n| pids.get(&format!("{role}-{n}")).copied()).collect()
        };
        let server = |name: &str| pids.get(name).copied().flatten();
        json!({
            "buyers": http(self.ports.buyers()),
            "gateways": self.ports.gateways.iter().map(|&port| http(port)).collect::<Vec<_>>(),
            "operators": http(self.ports.operators),
            "consumers": self.ports.consumers.iter().map(|&port| http(port)).collect::<Vec<_>>(),
            "adminKey": self.secrets.admin_key,
            "webhookSecret": self.secrets.webhook_secret,
            "metricsKey": self.secrets.metrics_key,
            "config": self.config,
            "redis": self.addresses.redis,
            "amqp": self.addresses.amqp,
            "postgres": self.addresses.postgres,
            "pids": {
                "gateway": numbered("gateway"), "consumer": numbered("consumer"),
                "redis": server("redis"), "rabbitmq": server("rabbitmq"), "postgres": server("postgres"),
            },
        })
    }
}

/// Who lives under which process id, and the file that says so.
pub struct Board {
    run_file: RunFile,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pids: BTreeMap<String, Option<u32>>,
    published: bool,
    restarts: u32,
}

impl Board {
    pub fn new(run_file: RunFile) -> Self {
        Self { run_file, state: Mutex::default() }
    }

    /// `name` now runs as `pid`.
    pub fn lives(&self, name: &str, pid: Option<u32>) -> Result<()> {
        let mut state = self.state();
        state.pids.insert(name.to_owned(), pid);
        self.write(&state)
    }

    /// Under which process id it lives, if it does.
    pub fn pid(&self, name: &str) -> Option<u32> {
        self.state().pids.get(name).copied().flatten()
    }

    /// `name` has died.
    pub fn died(&self, name: &str) -> Result<()> {
        self.state().restarts += 1;
        self.lives(name, None)
    }

    /// Deaths seen so far.
    pub fn restarts(&self) -> u32 {
        self.state().restarts
    }

    /// From now on the file is there.
    pub fn publish(&self) -> Result<()> {
        let mut state = self.state();
        state.published = true;
        self.write(&state)
    }

    /// The file is gone, and stays so.
    pub fn withdraw(&self) {
        let mut state = self.state();
        if std::mem::take(&mut state.published) {
            // Already gone is as good as removed.
            let _ = fs::remove_file(&self.run_file.file);
        }
    }

    fn write(&self, state: &State) -> Result<()> {
        if !state.published {
            return Ok(());
        }
        files::write_private(&self.run_file.file, &format!("{:#}\n", self.run_file.contents(&state.pids)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::up::settings::tests::secrets;

    fn board(name: &str) -> Board {
        Board::new(RunFile {
            file: std::env::temp_dir().join(format!("xtask-{name}-{}.json", std::process::id())),
            config: "/data/seckill.toml".into(),
            ports: Ports { gateways: vec![8080, 8082], operators: 8081, consumers: vec![8084] },
            addresses: Addresses {
                redis: Some("redis://x".into()),
                amqp: Some("amqp://x".into()),
                postgres: Some("postgres://x".into()),
            },
            secrets: secrets(),
        })
    }

    #[test]
    fn the_file_has_the_shape_that_scripts_rely_on() {
        let board = board("shape");
        for (name, pid) in [("gateway-1", 11), ("gateway-2", 12), ("consumer-1", 21), ("redis", 31), ("postgres", 33)] {
            board.lives(name, Some(pid)).unwrap();
        }
        let expected = json!({
            "buyers": "http://127.0.0.1:8080",
            "gateways": ["http://127.0.0.1:8080", "http://127.0.0.1:8082"],
            "operators": "http://127.0.0.1:8081",
            "consumers": ["http://127.0.0.1:8084"],
            "adminKey": "a".repeat(32),
            "webhookSecret": "whsec_w",
            "metricsKey": "m".repeat(32),
            "config": "/data/seckill.toml",
            "redis": "redis://x", "amqp": "amqp://x", "postgres": "postgres://x",
            "pids": {"gateway": [11, 12], "consumer": [21], "redis": 31, "rabbitmq": null, "postgres": 33},
        });
        assert_eq!(board.run_file.contents(&board.state().pids), expected);
    }

    #[test]
    fn it_appears_when_published_follows_every_change_and_goes() {
        let board = board("life");
        let file = board.run_file.file.clone();
        let gateway =
            || serde_json::from_str::<Value>(&fs::read_to_string(&file).unwrap()).unwrap()["pids"]["gateway"].clone();
        board.lives("gateway-1", Some(1)).unwrap();
        assert!(!file.exists());
        board.publish().unwrap();
        assert_eq!(gateway(), json!([1]));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        board.died("gateway-1").unwrap();
        assert_eq!((gateway(), board.restarts()), (json!([null]), 1));
        board.lives("gateway-1", Some(2)).unwrap();
        assert_eq!(gateway(), json!([2]));
        board.withdraw();
        assert!(!file.exists());
        board.lives("gateway-1", Some(3)).unwrap();
        assert!(!file.exists(), "a late change does not bring it back");
    }
}
