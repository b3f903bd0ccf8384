//! The product's own processes: gateways and consumers.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::ports::Ports;
use super::team::Member;
use crate::process::{Ask, Process, tethered};

/// The gateway with this position, counted from 0, in logs and in `run.json`.
pub fn gateway_name(position: usize) -> String {
    format!("gateway-{}", position + 1)
}

/// The consumer with this position, counted from 0, likewise.
pub fn consumer_name(position: usize) -> String {
    format!("consumer-{}", position + 1)
}

/// One process of the product, running or not.
pub struct Role {
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    process: Option<Process>,
}

impl Role {
    /// A gateway, not yet started. Only the first has an operators' listener.
    pub fn gateway(program: &Path, config: &Path, dir: &Path, ports: &Ports, position: usize) -> Self {
        let operators = if position == 0 { format!("127.0.0.1:{}", ports.operators) } else { "none".to_owned() };
        let listen = format!("127.0.0.1:{}", ports.gateways[position]);
        let arguments = ["gateway", "--listen", &listen, "--operators", &operators];
        Self::new(gateway_name(position), program, config, dir, &arguments)
    }

    /// The consumer with this position, counted from 0, not yet started.
    pub fn consumer(program: &Path, config: &Path, dir: &Path, ports: &Ports, position: usize) -> Self {
        let status = format!("127.0.0.1:{}", ports.consumers[position]);
        Self::new(consumer_name(position), program, config, dir, &["consumer", "--status", &status])
    }

    fn new(name: String, program: &Path, config: &Path, dir: &Path, role: &[&str]) -> Self {
        let config = config.display().to_string();
        let arguments = ["--config", &config].iter().chain(role).map(|&word| word.to_owned()).collect();
        let log = dir.join("logs").join(format!("{name}.log"));
        Self { name, program: program.to_path_buf(), arguments, log, process: None }
    }
}

impl Member for Role {
    fn name(&self) -> &str {
        &self.name
    }

    fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    fn how_it_ended(&mut self) -> Option<String> {
        match &mut self.process {
            Some(process) => process.ended().map(|status| status.to_string()),
            None => Some("not started".into()),
        }
    }

    fn start(&mut self) -> Result<()> {
        self.process = None;
        let mut command = tethered(&self.program, Ask::Term);
        command.args(&self.arguments);
        self.process = Some(Process::start(command, Ask::Term, &self.log)?);
        Ok(())
    }

    fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command_line(role: &Role) -> String {
        role.arguments.join(" ")
    }

    #[test]
    fn only_the_first_gateway_listens_for_operators() {
        let ports = Ports { gateways: vec![8080, 8082], operators: 8081, consumers: vec![] };
        let gateway = |position| Role::gateway(Path::new("p"), Path::new("c.toml"), Path::new("d"), &ports, position);
        assert_eq!(
            command_line(&gateway(0)),
            "--config c.toml gateway --listen 127.0.0.1:8080 --operators 127.0.0.1:8081"
        );
        assert_eq!(command_line(&gateway(1)), "--config c.toml gateway --listen 127.0.0.1:8082 --operators none");
    }

    #[test]
    fn a_role_logs_under_its_name() {
        let ports = Ports { gateways: vec![8080], operators: 8081, consumers: vec![8083, 8084] };
        let consumer = Role::consumer(Path::new("p"), Path::new("c.toml"), Path::new("d"), &ports, 1);
        assert_eq!(command_line(&consumer), "--config c.toml consumer --status 127.0.0.1:8084");
        assert_eq!(consumer.log, Path::new("d/logs/consumer-2.log"));
    }
}
