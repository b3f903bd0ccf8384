//! `seckill sale …`: the operators' work from the command line, with the same steps as the operators' port.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use domain::ports::{Changed, Operator};
use domain::{ItemBooks, NewSale, Sale, SaleId, SaleState, Timestamp};
use order_intake::books;
use serde_json::json;

use crate::cli::{Output, SaleCommand};
use crate::config::Config;
use crate::output::{self, DIFFERENCE};
use crate::world::World;

/// Sales that ended longer ago than this are not listed.
const LIST_ENDED_S: u32 = 30 * 86_400;

pub async fn run(config: Config, command: SaleCommand, output: Output) -> anyhow::Result<ExitCode> {
    World::shared(&config)?;
    let world = World::new(&config).await?;
    match command {
        SaleCommand::Create { file } => create(&world, &file, output).await,
        SaleCommand::List => list(&world, output).await,
        SaleCommand::Show { sale } => show(&find(&world, &sale).await?, output),
        SaleCommand::Warm { sale } => warm(&world, &sale, output).await,
        SaleCommand::Open { sale } | SaleCommand::Resume { sale } => {
            change(&world, &sale, SaleState::Open, output).await
        }
        SaleCommand::Pause { sale } => change(&world, &sale, SaleState::Paused, output).await,
        SaleCommand::Close { sale } => change(&world, &sale, SaleState::Closed, output).await,
        SaleCommand::Watch { sale } => watch(&world, &sale, output).await,
        SaleCommand::Reconcile { sale, repair } => reconcile(&world, &sale, repair, output).await,
    }
}

/// Whoever types the command.
pub fn operator() -> Operator {
    Operator { via: "cli".to_owned(), reason: None }
}

pub async fn find(world: &World, id: &SaleId) -> anyhow::Result<Sale> {
    world.sales.sale(id).await?.with_context(|| format!("there is no sale {id}"))
}

async fn create(world: &World, file: &Path, output: Output) -> anyhow::Result<ExitCode> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("standard input")?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
    }
    let sale: NewSale = serde_json::from_str(&text).context("the sale")?;
    sale.check().context("the sale")?;
    match world.sales.create(&sale, &operator()).await? {
        Some(sale) => show(&sale, output),
        None => bail!("there is a sale {} already", sale.id),
    }
}

async fn list(world: &World, output: Output) -> anyhow::Result<ExitCode> {
    let sales = world.sales.sales(LIST_ENDED_S).await?;
    Ok(print_sales(&sales, output, &json!(sales.iter().map(output::sale_json).collect::<Vec<_>>())))
}

fn show(sale: &Sale, output: Output) -> anyhow::Result<ExitCode> {
    Ok(print_sales(std::slice::from_ref(sale), output, &output::sale_json(sale)))
}

fn print_sales(sales: &[Sale], output: Output, json: &serde_json::Value) -> ExitCode {
    let row = |sale: &Sale| {
        let stock: i64 = sale.items.iter().map(|item| item.stock).sum();
        vec![
            sale.id.to_string(),
            sale.title.clone(),
            sale.state.as_str().to_owned(),
            if sale.epoch > 0 { format!("yes, epoch {}", sale.epoch) } else { "no".to_owned() },
            sale.opens_at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
            sale.closes_at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
            sale.limit_per_buyer.to_string(),
            format!("{stock} in {}", sale.items.len()),
        ]
    };
    let headers = ["sale", "title", "state", "warm", "opens", "closes", "limit", "units, items"];
    output::print(output, &headers, sales.iter().map(row).collect(), json)
}

async fn warm(world: &World, id: &SaleId, output: Output) -> anyhow::Result<ExitCode> {
    let warmed = world.warmup.warm(id, &operator()).await?;
    let items: Vec<_> = warmed.free.iter().map(|(item, free)| json!({ "id": item, "free": free })).collect();
    let rows = warmed.free.iter().map(|(item, free)| vec![item.to_string(), free.to_string()]).collect();
    let json = json!({ "epoch": warmed.epoch, "changed": warmed.fresh, "items": items });
    if matches!(output, Output::Table) {
        let what = if warmed.fresh { "is loaded" } else { "was loaded already; nothing was changed" };
        println!("Sale {id} {what} (epoch {}).", warmed.epoch);
    }
    Ok(output::print(output, &["item", "free"], rows, &json))
}

async fn change(world: &World, id: &SaleId, state: SaleState, output: Output) -> anyhow::Result<ExitCode> {
    match world.warmup.change(id, state, &operator()).await? {
        Changed::Done(sale) => show(&sale, output),
        Changed::NotFound => bail!("there is no sale {id}"),
        Changed::Conflict(why) => bail!("{why}"),
    }
}

async fn ledger(world: &World, sale: &Sale) -> anyhow::Result<Option<(Timestamp, Vec<ItemBooks>)>> {
    let books = books(world.gate.as_ref(), world.orders.as_ref(), sale).await?;
    Ok(books.map(|(counters, lines)| (counters.now, lines)))
}

async fn watch(world: &World, id: &SaleId, output: Output) -> anyhow::Result<ExitCode> {
    let sale = find(world, id).await?;
    loop {
        let Some((at, lines)) = ledger(world, &sale).await? else {
            println!("The gate has not loaded sale {id}.");
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        };
        if matches!(output, Output::Table) {
            println!("{at}");
        }
        output::print(output, &output::BOOKS, output::books_rows(&lines), &output::books_json(&sale, at, &lines));
        let moving = lines.iter().any(|line| line.unpublished + line.queued > 0);
        if (lines.iter().all(|line| line.free == 0) || at >= sale.closes_at) && !moving {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn reconcile(world: &World, id: &SaleId, repair: bool, output: Output) -> anyhow::Result<ExitCode> {
    let sale = find(world, id).await?;
    let books = ledger(world, &sale).await?;
    let differs = books.as_ref().is_none_or(|(_, lines)| lines.iter().any(|line| line.difference != 0));
    if let Some((at, lines)) = &books {
        output::print(output, &output::BOOKS, output::books_rows(lines), &output::books_json(&sale, *at, lines));
    } else {
        eprintln!("The gate has not loaded sale {id}.");
    }
    if !differs {
        return Ok(ExitCode::SUCCESS);
    }
    if !repair {
        eprintln!("The books differ. `seckill sale reconcile {id} --repair` loads the sale again from the database.");
        return Ok(ExitCode::from(DIFFERENCE));
    }
    world.broker().await?;
    let loaded = world.warmup.rebuild(id, &operator()).await?;
    eprintln!("Sale {id} is loaded again: epoch {}.", loaded.epoch);
    Ok(ExitCode::SUCCESS)
}
