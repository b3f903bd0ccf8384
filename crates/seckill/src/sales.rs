//! `seckill sale …`: the operators' work from the command line, with the same steps as the operators' port.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use control::Task;
use domain::ports::{Changed, Operator, Restocked};
use domain::{ItemBooks, NewSale, Restock, Sale, SaleId, SaleState, Timestamp};
use order_intake::{Reconciliation, books};
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
        SaleCommand::Restock { sale, item, delta, id } => {
            restock(&world, &sale, &Restock { id, item, delta }, output).await
        }
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
    if sale.id.is_of_dry_runs() {
        bail!("the sale: id: is the name of the sale that dry runs buy from; choose another one");
    }
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
    let warmed = world.as_task(Task::Rebuild, world.warmup.warm(id, &operator())).await??;
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

async fn restock(world: &World, id: &SaleId, restock: &Restock, output: Output) -> anyhow::Result<ExitCode> {
    if restock.delta == 0 || restock.delta.unsigned_abs() > Restock::MAX.unsigned_abs() {
        bail!("--delta has to be from -{max} to {max}, and not 0", max = Restock::MAX);
    }
    let done = order_intake::restock(world.gate.as_ref(), world.sales.as_ref(), id, restock, &operator()).await?;
    match done {
        Restocked::Done { stock, repeated } => {
            if matches!(output, Output::Table) && repeated {
                println!("Restock {} was done before; nothing was changed.", restock.id);
            }
            let json = json!({ "id": restock.id, "item": restock.item, "stock": stock, "changed": !repeated });
            let row = vec![restock.id.to_string(), restock.item.to_string(), stock.to_string()];
            Ok(output::print(output, &["restock", "item", "stock"], vec![row], &json))
        }
        Restocked::NotFound => bail!("there is no sale {id}, or it has no item {}", restock.item),
        Restocked::Conflict(why) => bail!("{why}"),
        Restocked::Withdraw(_) => bail!("the units are still being taken out; repeat the command"),
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
    let compare = order_intake::reconcile(world.gate.as_ref(), world.orders.as_ref(), world.sales.as_ref(), &sale);
    let found = world.as_task(Task::Reconcile, compare).await??;
    let differs = found.as_ref().is_none_or(|found| found.books.iter().any(|line| line.difference != 0));
    if let Some(found) = &found {
        print_reconciliation(&sale, found, output);
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
    let loaded = world.as_task(Task::Rebuild, world.warmup.rebuild(id, &operator())).await??;
    eprintln!("Sale {id} is loaded again: epoch {}.", loaded.epoch);
    Ok(ExitCode::SUCCESS)
}

fn print_reconciliation(sale: &Sale, found: &Reconciliation, output: Output) {
    let Reconciliation { counters, books, records, orders, findings, more } = found;
    let mut json = output::books_json(sale, counters.now, books);
    let listed =
        findings.iter().map(|one| json!({ "item": one.item, "jobId": one.job, "units": one.units, "what": one.what }));
    json["findings"] = listed.collect();
    json["records"] = json!(records);
    json["orders"] = json!(orders);
    json["more"] = json!(more);
    output::print(output, &output::BOOKS, output::books_rows(books), &json);
    if matches!(output, Output::Json) {
        return;
    }
    println!("{records} records of the gate were held against {orders} orders.");
    if !findings.is_empty() {
        let text = |id: Option<String>| id.unwrap_or_else(|| "-".to_owned());
        let row = |one: &order_intake::Finding| {
            let (item, job) = (one.item.as_ref().map(ToString::to_string), one.job.map(|job| job.to_string()));
            vec![text(item), text(job), format!("{:+}", one.units), one.what.clone()]
        };
        let rows = findings.iter().map(row).collect();
        output::print(output, &["item", "job", "units", "what"], rows, &json);
    }
    if *more > 0 {
        println!("{more} more are not listed.");
    }
}
