//! `seckill` without a command: a demo sale with nothing to install, for a newcomer's first minute.

use std::process::ExitCode;

use anyhow::Context as _;
use chrono::TimeDelta;
use domain::ports::Changed;
use domain::{NewSale, SaleState};
use serde_json::json;

use crate::cli::Listen;
use crate::config::Config;
use crate::roles::{Listeners, finish, serve_all, start, stop_on_signal};
use crate::sales::operator;
use crate::world::World;

/// Long enough to read the screen, short enough to wait for.
const OPENS_IN: TimeDelta = TimeDelta::seconds(15);
const OPEN_FOR: TimeDelta = TimeDelta::hours(1);

pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let listeners = Listeners::bind(&config, &Listen::default()).context(
        "the demo needs its two ports; SECKILL__GATEWAY__LISTEN and SECKILL__GATEWAY__OPERATORS choose others",
    )?;
    let (world, prometheus) = start(&config).await?;
    create_sale(&world).await?;
    println!("{}", welcome(&listeners, &config)?);
    let stop = stop_on_signal();
    finish(serve_all(&world, &config, listeners, prometheus, stop.clone()), stop).await
}

async fn create_sale(world: &World) -> anyhow::Result<()> {
    let opens_at = world.clock.now() + OPENS_IN;
    let sale: NewSale = serde_json::from_value(json!({
        "id": "demo", "title": "Demo sale", "opensAt": opens_at, "closesAt": opens_at + OPEN_FOR, "limitPerBuyer": 1,
        "items": [{ "id": "red-42", "title": "Red shoes, size 42", "price": { "amount": 19900, "currency": "CNY" }, "stock": 100 }],
    }))?;
    world.sales.create(&sale, &operator()).await?.context("the demo sale")?;
    world.warmup.warm(&sale.id, &operator()).await?;
    match world.warmup.change(&sale.id, SaleState::Open, &operator()).await? {
        Changed::Done(_) => Ok(()),
        Changed::NotFound | Changed::Conflict(_) => anyhow::bail!("the demo sale did not open"),
    }
}

fn welcome(listeners: &Listeners, config: &Config) -> anyhow::Result<String> {
    let buyers = format!("http://{}", listeners.buyers_address()?);
    let operators = match listeners.operators_address() {
        Some(address) => format!("http://{address}"),
        None => "(none)".to_owned(),
    };
    let key = &config.admin_key;
    Ok(format!(
        r#"
A demo sale of 100 pairs of shoes opens in {seconds} seconds.
Everything lives in this process: stock, queue and orders. ORDERS DIE WITH IT. The real thing: cargo xtask up

  Shop       {buyers}
  Console    {operators}   (admin key: {key})

Buy from the command line, with three requests (a buyer, a token, the purchase):

  BUYER=$(curl -s -X POST {buyers}/api/v1/demo/buyers | sed 's/.*"accessToken":"\([^"]*\)".*/\1/')
  TOKEN=$(curl -s -X POST {buyers}/api/v1/sales/demo/tokens -H "Authorization: Bearer $BUYER" -H 'Content-Type: application/json' -d '{{}}' | sed 's/.*"token":"\([^"]*\)".*/\1/')
  curl -si -X POST {buyers}/api/v1/sales/demo/orders -H 'Content-Type: application/json' -d "{{\"token\":\"$TOKEN\",\"item\":\"red-42\",\"quantity\":1}}"

Then ask for the job that the answer names, pay the order of the same name, and look at the books:

  curl -s {buyers}/api/v1/jobs/JOB
  curl -s -X POST {buyers}/api/v1/orders/JOB/payments -H "Authorization: Bearer $BUYER"
  curl -s {buyers}/api/v1/orders/JOB -H "Authorization: Bearer $BUYER"
  curl -s -u :{key} {operators}/admin/v1/sales/demo/ledger

The limit of requests per address is off here, since everybody is 127.0.0.1. Stop with Ctrl-C.
"#,
        seconds = OPENS_IN.num_seconds(),
    ))
}
