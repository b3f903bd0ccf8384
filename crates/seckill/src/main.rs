//! The flash-sale program: one binary, its roles as subcommands.

mod check;
mod cli;
mod config;
mod demo;
mod dlq;
mod logs;
mod output;
mod preset;
mod quotas;
#[cfg(test)]
mod reference;
mod roles;
mod safety;
mod sales;
mod secret_files;
mod tokens;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before any TLS connection: two libraries could each bring a provider, and would then refuse to choose.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = cli::Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("seckill: {error:#}");
            ExitCode::from(output::FAILED)
        }
    }
}

#[tokio::main]
async fn run(cli: cli::ParsedCli) -> anyhow::Result<ExitCode> {
    let config::Loaded { config, findings } = config::load(cli.config.as_deref(), &cli.command)?;
    let Some(config) = config else { return check::refuse(&findings, &cli.command, cli.output) };
    logs::start(&config.log, cli.command.is_service())?;
    for finding in findings.warnings().filter(|_| cli.command.is_service()) {
        tracing::warn!("{finding}");
    }
    match cli.command {
        cli::Command::Demo => demo::run(config).await,
        cli::Command::All(listen) => roles::all(config, listen).await,
        cli::Command::Gateway(listen) => roles::gateway(config, listen).await,
        cli::Command::Consumer { status } => roles::consumer(config, status).await,
        cli::Command::Migrate => roles::migrate(config).await,
        cli::Command::Check => check::run(config, &findings, cli.output).await,
        cli::Command::Sale(command) => sales::run(config, command, cli.output).await,
        cli::Command::Tokens(command) => tokens::run(config, command).await,
        cli::Command::Dlq(command) => dlq::run(config, command, cli.output).await,
    }
}
