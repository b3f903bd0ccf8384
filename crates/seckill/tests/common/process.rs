//! Processes of the program under test.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_seckill");

/// A process that ends with the test.
pub struct Running {
    child: Child,
    arguments: Vec<String>,
    env: Vec<(&'static str, String)>,
    dir: std::path::PathBuf,
    name: &'static str,
    port: u16,
    operators: u16,
}

impl Running {
    /// `env` overrides the configuration for this process alone.
    pub fn start(
        dir: &Path,
        name: &'static str,
        arguments: &[&str],
        env: &[(&'static str, String)],
        port: u16,
        operators: u16,
    ) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let child = spawn(dir, name, &arguments, env);
        Self { child, arguments, env: env.to_vec(), dir: dir.to_owned(), name, port, operators }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn operators_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.operators)
    }

    /// SIGKILL.
    pub fn kill9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; answers how long it took to end, and whether it ended well.
    pub fn terminate(&mut self) -> (Duration, bool) {
        let started = Instant::now();
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (started.elapsed(), status.success());
            }
            assert!(started.elapsed() < Duration::from_secs(30), "still there 30 s after SIGTERM");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts it again with the same arguments.
    pub fn start_again(&mut self) {
        self.child = spawn(&self.dir, self.name, &self.arguments, &self.env);
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join(format!("{}-{}.log", self.name, self.port))).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(30).collect();
            eprintln!("--- last lines of {} {}", self.name, self.port);
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

fn spawn(dir: &Path, name: &str, arguments: &[String], env: &[(&'static str, String)]) -> Child {
    let port = arguments.iter().find_map(|text| text.strip_prefix("127.0.0.1:")).unwrap_or("0");
    let log = File::options().create(true).append(true).open(dir.join(format!("{name}-{port}.log"))).unwrap();
    Command::new(PROGRAM)
        .arg("--config")
        .arg(dir.join("seckill.toml"))
        .args(arguments)
        .envs(env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// Runs a command to its end.
pub fn run(dir: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(PROGRAM).arg("--config").arg(dir.join("seckill.toml")).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(format!("exit {}: {}", output.status.code().unwrap_or(-1), text(&output.stderr)))
    }
}
