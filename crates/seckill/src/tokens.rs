//! `seckill tokens mint`: ready request bodies for load generators, signed with the shop's own keys.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use domain::{BuyerId, JobId, SaleToken};

use crate::cli::TokensCommand;
use crate::config::Config;
use crate::sales::find;
use crate::world::World;

pub async fn run(config: Config, command: TokensCommand) -> anyhow::Result<ExitCode> {
    World::shared(&config)?;
    let world = World::new(&config).await?;
    let TokensCommand::Mint { sale, buyers, per_buyer, item, quantity, ttl, prefix } = command;
    let sale = find(&world, &sale).await?;
    let item = match item {
        None => sale.items.first().context("the sale has no items")?.id.clone(),
        Some(item) if sale.item(&item).is_some() => item,
        Some(item) => bail!("sale {} has no item {item}", sale.id),
    };
    let now = world.clock.now();
    let not_before = sale.opens_at.max(now);
    let issued_ms = u64::try_from(now.timestamp_millis()).context("the clock is before 1970")?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for number in 1..=buyers {
        let buyer: BuyerId = format!("{prefix}{number}").parse().context("--prefix")?;
        for _ in 0..per_buyer {
            let token = SaleToken {
                job: JobId::new(issued_ms, sale.route(), world.entropy.six()),
                buyer: buyer.clone(),
                channel: String::new(),
                not_before,
                expires_at: not_before + ttl,
            };
            let token = config.token_keys.sign(&token);
            writeln!(out, r#"{{"token":"{token}","item":"{item}","quantity":{quantity}}}"#)?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
