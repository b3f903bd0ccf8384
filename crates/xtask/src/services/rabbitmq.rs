//! A RabbitMQ node of our own. Everything that two nodes on one machine could share (the `epmd` that names nodes, the
//! Erlang cookie, the data, the configuration of the system) is private to it.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::kind::{Kind, Place};
use super::{Server, free_port};
use crate::files;
use crate::process::{Ask, Process, tethered};

/// The user that tests and programs log in as; an administrator.
const USER: &str = "seckill";

/// What makes a RabbitMQ a RabbitMQ here.
#[derive(Debug)]
pub struct RabbitMqKind {
    server: PathBuf,
    ctl: PathBuf,
    epmd: PathBuf,
    /// The name the data belongs to: a node refuses the data of another.
    node: String,
    epmd_port: u16,
    node_names: Option<Process>,
}

/// How many of the runtime's schedulers there are, and that none of them waits for work in a loop.
const SCHEDULERS: &str = "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none";

impl Kind for RabbitMqKind {
    const NAME: &'static str = "rabbitmq";
    const ASK: Ask = Ask::Term;
    const READY_WITHIN: Duration = Duration::from_secs(180);

    fn prepare(place: &Place) -> Result<Self> {
        let epmd = files::which("epmd").context("epmd, a part of Erlang, is not installed")?;
        let server = script("rabbitmq-server").context("rabbitmq-server is not installed")?;
        let ctl = script("rabbitmqctl").context("rabbitmqctl is not installed")?;
        let name_file = place.dir.join("node");
        let node = match fs::read_to_string(&name_file) {
            Ok(name) => name.trim().to_owned(),
            Err(_) => format!("seckill-{}@localhost", place.port),
        };
        files::write_private(&name_file, &format!("{node}\n"))?;
        let kind = Self { server, ctl, epmd, node, epmd_port: free_port()?, node_names: None };
        kind.write_script(place)?;
        Ok(kind)
    }

    fn before_start(&mut self, place: &Place) -> Result<()> {
        let settings = format!(
            "listeners.tcp.1 = 127.0.0.1:{}\ndefault_user = {USER}\ndefault_pass = {}\n\
             default_user_tags.administrator = true\nvm_memory_high_watermark.relative = 0.4\n\
             disk_free_limit.absolute = 200MB\n",
            place.port, place.password
        );
        files::write_private(&place.dir.join("rabbitmq.conf"), &settings)?;
        for (name, contents) in [("enabled_plugins", "[].\n"), ("advanced.config", "[].\n"), ("env.conf", "")] {
            fs::write(place.dir.join(name), contents)?;
        }
        // Without one of ours, the node would start an `epmd` that outlives it.
        if self.node_names.as_mut().is_none_or(|process| process.ended().is_some()) {
            let mut epmd = tethered(&self.epmd, Ask::Term);
            epmd.args(["-address", "127.0.0.1", "-port", &self.epmd_port.to_string()]);
            self.node_names = Some(Process::start(epmd, Ask::Term, &place.log)?);
        }
        Ok(())
    }

    fn command(&self, place: &Place) -> Result<Command> {
        let mut command = tethered(&self.server, Self::ASK);
        self.surround(&mut command, place);
        let dist_port = free_port()?.to_string();
        command
            .env("RABBITMQ_NODE_PORT", place.port.to_string())
            .env("RABBITMQ_DIST_PORT", dist_port)
            // One scheduler thread that sleeps when it has nothing to do: the machine's cores are shared by everything.
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                format!("{SCHEDULERS} -kernel inet_dist_use_interface {{127,0,0,1}}"),
            )
            // To the log we keep for every server.
            .env("RABBITMQ_LOGS", "-")
            // Makes the script become the node instead of watching it, so that our pid is the node's.
            .env("RUNNING_UNDER_SYSTEMD", "true")
            .current_dir(&place.dir);
        Ok(command)
    }

    fn is_ready(&self, place: &Place) -> Result<bool> {
        Ok(greets(place.port).unwrap_or(false))
    }

    fn url(&self, place: &Place) -> String {
        format!("amqp://{USER}:{}@127.0.0.1:{}/%2f", place.password, place.port)
    }

    fn after_stop(&mut self) {
        self.node_names = None;
    }
}

impl Server<RabbitMqKind> {
    /// Runs `rabbitmqctl` against our node and returns what it printed.
    ///
    /// # Errors
    /// It failed; the message holds what it said.
    pub fn rabbitmqctl(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(self.rabbitmqctl_script()).args(arguments).stdin(Stdio::null()).output();
        let output = output.context("cannot run rabbitmqctl")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("rabbitmqctl {} failed ({}): {}", arguments.join(" "), output.status, said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// A script that runs `rabbitmqctl` against our node, for tests that only get environment variables.
    pub fn rabbitmqctl_script(&self) -> PathBuf {
        self.place.dir.join("rabbitmqctl")
    }
}

impl RabbitMqKind {
    /// The variables that keep this node apart from every other.
    fn variables(&self, place: &Place) -> Vec<(&'static str, String)> {
        let inside = |name: &str| place.dir.join(name).display().to_string();
        vec![
            ("HOME", place.dir.display().to_string()), // the cookie's folder
            ("ERL_EPMD_PORT", self.epmd_port.to_string()),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".into()),
            ("RABBITMQ_NODENAME", self.node.clone()),
            ("RABBITMQ_MNESIA_BASE", inside("mnesia")),
            ("RABBITMQ_LOG_BASE", inside("log")),
            ("RABBITMQ_PID_FILE", inside("pid")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", inside("enabled_plugins")),
            ("RABBITMQ_CONFIG_FILE", inside("rabbitmq.conf")),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", inside("advanced.config")),
            ("RABBITMQ_CONF_ENV_FILE", inside("env.conf")),
            ("RABBITMQ_GENERATED_CONFIG_DIR", inside("generated")),
            ("RABBITMQ_SCHEMA_DIR", inside("schema")),
        ]
    }

    fn surround(&self, command: &mut Command, place: &Place) {
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("RABBITMQ_") || text.starts_with("ERL_") || text == "NOTIFY_SOCKET" {
                command.env_remove(&name);
            }
        }
        command.envs(self.variables(place));
    }

    fn write_script(&self, place: &Place) -> Result<()> {
        let mut script = String::from("#!/bin/sh\n# Runs rabbitmqctl against the node in this folder.\n");
        for (name, value) in self.variables(place) {
            script += &format!("export {name}={}\n", shell_quoted(&value));
        }
        script += &format!("exec {} \"$@\"\n", shell_quoted(&self.ctl.display().to_string()));
        let file = place.dir.join("rabbitmqctl");
        files::write_private(&file, &script)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).context("cannot make rabbitmqctl runnable")
    }
}

/// A RabbitMQ script. Debian's own wrappers on the PATH would change the user and drop our variables, so the scripts
/// they wrap are preferred.
fn script(name: &str) -> Option<PathBuf> {
    let wrapped = Path::new("/usr/lib/rabbitmq/bin").join(name);
    if wrapped.is_file() { Some(wrapped) } else { files::which(name) }
}

fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The port answers AMQP's protocol header with a frame.
fn greets(port: u16) -> std::io::Result<bool> {
    const METHOD_FRAME: u8 = 1;
    let patience = Duration::from_secs(5);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(b"AMQP\x00\x00\x09\x01")?;
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    Ok(kind[0] == METHOD_FRAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_anything_in_it_survives_the_shell() {
        assert_eq!(shell_quoted("/a b/it's $HOME"), r"'/a b/it'\''s $HOME'");
    }
}
