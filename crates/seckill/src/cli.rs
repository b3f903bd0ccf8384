//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::{ItemId, JobId, RestockId, SaleId};

/// A flash sale: a few units, a crowd, one instant. Nothing oversold, no accepted order lost.
#[derive(Debug, Parser)]
#[command(
    version,
    arg_required_else_help = false,
    subcommand_required = false,
    after_help = "Exit status: 0 fine, 1 failed, 2 wrong usage, 3 a check found a difference.\n\
                  Without a command, `seckill` runs a demo sale inside this one process; nothing has to be installed."
)]
pub struct Cli {
    /// The configuration file (TOML); SECKILL__SECTION__KEY in the environment overrides it
    #[arg(long, global = true, env = "SECKILL_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// How commands print what they found
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table)]
    pub output: Output,

    #[command(subcommand)]
    command: Option<Command>,
}

impl Cli {
    /// The command line of this process; ends it with a usage message when it makes no sense.
    pub fn parse() -> ParsedCli {
        let Self { config, output, command } = <Self as Parser>::parse();
        ParsedCli { config, output, command: command.unwrap_or(Command::Demo) }
    }
}

/// How a command prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Output {
    /// For people
    Table,
    /// For programs
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a demo sale inside this one process (the default); orders end with the process
    Demo,
    /// Run gateway and consumer in one process
    All(Listen),
    /// Run a gateway: the HTTP edge and the order intake
    Gateway(Listen),
    /// Run a consumer: places orders and relays their events
    Consumer {
        /// Where to serve /metrics, /livez and /readyz of this consumer
        #[arg(long, value_name = "ADDRESS")]
        status: Option<std::net::SocketAddr>,
    },
    /// Bring the database schema up to date
    Migrate,
    /// Say whether configuration, services and books are in order
    Check,
    /// Create and steer sales
    #[command(subcommand)]
    Sale(SaleCommand),
    /// Make sale tokens for load tests
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Look after dead letters
    #[command(subcommand)]
    Dlq(DlqCommand),
}

impl Command {
    /// Does it run until it is told to stop?
    pub fn is_service(&self) -> bool {
        matches!(self, Self::Demo | Self::All(_) | Self::Gateway(_) | Self::Consumer { .. })
    }
}

#[derive(Debug, Default, Args)]
pub struct Listen {
    /// The buyers' address; overrides gateway.listen
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<std::net::SocketAddr>,
    /// The operators' address, or "none"; overrides gateway.operators
    #[arg(long, value_name = "ADDRESS|none")]
    pub operators: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum SaleCommand {
    /// Create a draft from a JSON file, or from standard input with "-"
    Create {
        /// The body of POST /admin/v1/sales
        file: PathBuf,
    },
    /// List sales
    List,
    /// Show one sale
    Show { sale: SaleId },
    /// Load its stock into the gate; a sale that is loaded is left as it is
    Warm { sale: SaleId },
    /// Let it sell within its window
    Open { sale: SaleId },
    /// Take no purchases for now; what was accepted is placed
    Pause { sale: SaleId },
    /// Sell again after a pause
    Resume { sale: SaleId },
    /// Take no purchases any more
    Close { sale: SaleId },
    /// Print the ledger once a second until everything is settled or the sale is over
    Watch { sale: SaleId },
    /// Add units to an item, or take some out, while the sale runs; done once for each id
    Restock {
        sale: SaleId,
        /// Which item
        #[arg(long)]
        item: ItemId,
        /// Units: above 0 adds, below takes out
        #[arg(long, allow_negative_numbers = true)]
        delta: i64,
        /// Your name for this change
        #[arg(long)]
        id: RestockId,
    },
    /// Compare gate and database, unit by unit; exit 3 when they differ
    Reconcile {
        sale: SaleId,
        /// Load the sale again from the database, which repairs any difference
        #[arg(long)]
        repair: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum TokensCommand {
    /// Print ready request bodies, one a line, for oha, wrk or k6
    Mint {
        /// The sale they are good for
        #[arg(long)]
        sale: SaleId,
        /// How many buyers: buyer-1, buyer-2, …
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
        buyers: u32,
        /// Tokens for each of them
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
        per_buyer: u32,
        /// The item they ask for [default: the first]
        #[arg(long)]
        item: Option<ItemId>,
        /// Units they ask for
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=10_000))]
        quantity: u16,
        /// How long they are good for: 90s, 10m, 1h
        #[arg(long, default_value = "1h", value_parser = duration)]
        ttl: chrono::TimeDelta,
        /// First part of the buyers' names
        #[arg(long, default_value = "buyer-")]
        prefix: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum DlqCommand {
    /// List dead letters: why they are there, and what to do
    List(Filter),
    /// Put dead letters back on the queue
    Replay(Letters),
    /// Remove dead letters; their jobs end as refused
    Discard(Letters),
}

/// Which dead letters: those that fit everything that is given
#[derive(Debug, Default, Args)]
pub struct Filter {
    /// The message id of one
    pub message: Option<String>,
    /// With a job of this sale
    #[arg(long)]
    pub sale: Option<SaleId>,
    /// With this job
    #[arg(long)]
    pub job: Option<JobId>,
    /// With this text in its reason
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
}

#[derive(Debug, Args)]
pub struct Letters {
    #[command(flatten)]
    pub filter: Filter,
    /// All of them
    #[arg(long, conflicts_with_all = ["message", "sale", "job", "why"], required_unless_present_any = ["message", "sale", "job", "why"])]
    pub all: bool,
    /// Only say which it would be
    #[arg(long)]
    pub dry_run: bool,
}

/// The command line, with the default command filled in.
pub struct ParsedCli {
    pub config: Option<PathBuf>,
    pub output: Output,
    pub command: Command,
}

fn duration(text: &str) -> Result<chrono::TimeDelta, String> {
    let wrong = || format!("{text:?} is not a duration like 90s, 10m or 1h");
    let unit_s = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        _ => return Err(wrong()),
    };
    let count: i64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    match chrono::TimeDelta::try_seconds(count.saturating_mul(unit_s)) {
        Some(duration) if (1..=86_400 * 30).contains(&duration.num_seconds()) => Ok(duration),
        _ => Err(format!("{text:?} is not between 1s and 30 days")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_have_a_unit_and_a_limit() {
        assert_eq!(duration("90s"), Ok(chrono::TimeDelta::seconds(90)));
        assert_eq!(duration("1h"), Ok(chrono::TimeDelta::hours(1)));
        for wrong in ["", "h", "1", "-1s", "0s", "1d", "99999999999999999999s", "9999h", "é"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
