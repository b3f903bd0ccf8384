//! The private servers, for real: they answer, survive a SIGKILL with their data, and leave nothing behind.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::services::{Redis, Services, forget, is_free};

/// A folder that goes with the test, below the target folder: reachable or not for Postgres's user, as it happens.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        forget(&self.0).unwrap();
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn redis(server: &Redis, command: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    write!(stream, "AUTH {}\r\n{command}\r\n", server.password()).unwrap();
    let mut lines = BufReader::new(stream).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "+OK");
    let first = lines.next().unwrap().unwrap();
    if first.starts_with('$') && first != "$-1" { lines.next().unwrap().unwrap() } else { first }
}

fn psql(url: &str, statement: &str) -> String {
    let output = Command::new("psql").args([url, "-X", "-A", "-t", "-c", statement]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn lives(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[test]
fn all_three_answer_survive_a_kill_and_keep_data_and_passwords_from_start_to_start() {
    let folder = Folder::new("services");
    let mut servers = Services::start(&folder.0).unwrap();

    assert_eq!(redis(&servers.redis, "SET kept yes"), "+OK");
    let settings = "select string_agg(setting, ' ' order by name) from pg_settings \
                    where name in ('fsync', 'max_connections', 'synchronous_commit')";
    assert_eq!(psql(&servers.postgres.url(), settings), "on 200 on");
    psql(&servers.postgres.url(), "create table kept (word text)");
    psql(&servers.postgres.url(), "insert into kept values ('yes')");
    servers.rabbitmq.rabbitmqctl(&["add_user", "kept", "yes"]).unwrap();

    let pids =
        |servers: &Services| [servers.redis.pid(), servers.rabbitmq.pid(), servers.postgres.pid()].map(Option::unwrap);
    let before = pids(&servers);
    assert_eq!(std::fs::read_link(format!("/proc/{}/exe", before[1])).unwrap().file_name().unwrap(), "beam.smp");
    servers.redis.kill9();
    servers.rabbitmq.kill9();
    servers.postgres.kill9();
    assert!(before.iter().all(|&pid| !lives(pid)));
    assert!(!servers.redis.is_running() && servers.redis.pid().is_none());
    servers.redis.start_again().unwrap();
    servers.rabbitmq.start_again().unwrap();
    servers.postgres.start_again().unwrap();

    let remember = |servers: &Services| {
        assert_eq!(redis(&servers.redis, "GET kept"), "yes");
        assert_eq!(psql(&servers.postgres.url(), "select word from kept"), "yes");
        assert!(servers.rabbitmq.rabbitmqctl(&["list_users"]).unwrap().contains("kept"));
    };
    remember(&servers);
    servers.redis.restart().unwrap();

    let (urls, last) = (servers.env(), pids(&servers));
    let ports = [servers.redis.port(), servers.rabbitmq.port(), servers.postgres.port()];
    servers.stop();
    assert!(last.iter().all(|&pid| !lives(pid)));
    assert!(ports.iter().all(|&port| is_free(port)));

    let again = Services::start(&folder.0).unwrap();
    assert_eq!(again.env(), urls, "same passwords and, as they were free, same ports");
    remember(&again);
}

#[test]
fn a_damaged_append_only_file_is_put_aside_and_redis_starts_empty() {
    let folder = Folder::new("damaged");
    let mut server = Redis::start(&folder.0, None).unwrap();
    assert_eq!(redis(&server, "SET kept yes"), "+OK");
    server.stop();
    let log = std::fs::read_dir(server.dir().join("appendonlydir"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().ends_with(".incr.aof"))
        .unwrap();
    let bytes = std::fs::read(&log).unwrap();
    std::fs::write(&log, &bytes[..bytes.len() - 3]).unwrap();

    server.start_again().unwrap();
    assert_eq!(redis(&server, "GET kept"), "$-1");
    assert!(server.dir().join("appendonlydir.bad-1").exists(), "nothing is thrown away");
}

#[test]
fn a_taken_port_is_said_to_be_taken() {
    let folder = Folder::new("taken");
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let error = Redis::start(&folder.0, Some(listener.local_addr().unwrap().port())).unwrap_err();
    assert!(format!("{error:#}").contains("Address already in use"), "{error:#}");
}
