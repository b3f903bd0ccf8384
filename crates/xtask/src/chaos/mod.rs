//! `cargo xtask chaos`: everything that a bad day can break, broken at random under load, and a verdict.
//!
//! 1. Build the program; start servers, gateways and consumers in a temporary folder, watched as `up` watches them.
//! 2. A sale for each minute, and more buyers than units, each pressing at a planned moment until the answer is final.
//! 3. Meanwhile the schedule of the seed: kills, freezes, cuts, lost data.
//! 4. Everything is healed. Within 30 s all has to be settled, and every promise is checked.
//!
//! The seed repeats the schedule, not the run: what is in flight when a blow falls is up to the machine.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::args::ChaosOptions;
use crate::bench::stack::Folder;
use crate::steps::{Took, step};
use crate::up::demo::rfc3339;
use crate::{signals, up, workspace};

mod crowd;
mod random;
mod schedule;
mod shop;
mod verdict;
mod way;

use crowd::Buyer;
use schedule::Blow;
use shop::Shop;

/// Presses a second: enough that something is in flight at every moment, few enough that a small machine keeps up.
const PRESSES_PER_S: u64 = 100;

/// Of ten buyers so many get a unit: sales sell out, and go on being refused.
const UNITS_OF_TEN: u64 = 6;

/// Everything is settled so long after the end, and every buyer has an answer.
const SETTLED_WITHIN: Duration = Duration::from_secs(30);

/// Every second sale's orders expire while it runs, so that units come back in the middle of it.
const SHORT_PAYMENT_S: u64 = 20;
const LONG_PAYMENT_S: u64 = 86_400;

/// The kinds of blows, by name.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    schedule::KINDS.iter().map(|kind| kind.name)
}

/// Runs it; `false`: a promise was broken, and it was said which.
///
/// # Errors
/// It could not be run, or was told to stop.
pub fn chaos(options: &ChaosOptions) -> Result<bool> {
    if options.list {
        kinds().for_each(|name| println!("{name}"));
        return Ok(true);
    }
    signals::install()?;
    let length = Duration::from_secs(u64::from(options.minutes) * 60);
    let seed = options.seed.map_or_else(fresh_seed, Ok)?;
    let blows = schedule::schedule(seed, length, &options.only);
    let again = options.command(seed);
    println!("chaos: {} blows in {} min, seed {seed}; again with: {again}", blows.len(), options.minutes);

    let program = step("build", || Ok((built()?, "target/release/seckill".to_owned())))?;
    let folder = Folder::new("chaos")?;
    let mut shop = Shop::open(&program, &folder.0.join("shop"), options.gateways, options.consumers)?;
    let (sales, buyers) = step("sales", || open_sales(&shop, options.minutes))?;
    println!();
    let seen = thread::scope(|scope| {
        let (shop, blows) = (&shop, &blows);
        scope.spawn(move || strike_all(shop, blows, length));
        crowd::press(&shop.ports.gateways, &buyers, length, SETTLED_WITHIN)
    });
    ensure!(!signals::stopping(), "told to stop");

    let (took, books) = verdict::settled(&shop, &sales, &seen, SETTLED_WITHIN)?;
    let lost_data = blows.iter().any(Blow::loses_data);
    let faults = verdict::faults(&books, &buyers, &seen, lost_data);
    println!("\n{}", summary(&seen));
    println!("settled {} after the last answer; {} restarts by the watch", Took(took), shop.restarts());
    let late = verdict::refused_late(&books, &seen);
    if late > 0 {
        println!("{late} jobs refused after their 202, because Redis had lost data");
    }
    for fault in &faults {
        println!("  broken: {fault}");
    }
    let word = if faults.is_empty() { "PASS" } else { "FAIL" };
    let counted = format!("{} blows, {} buyers, {} orders", blows.len(), buyers.len(), books.orders.len());
    println!("chaos: {word}, seed {seed}, {} min, {counted}", options.minutes);
    shop.close();
    if !faults.is_empty() {
        let kept = folder.keep();
        println!("logs and data are kept in {}", kept.display());
    }
    Ok(faults.is_empty())
}

fn built() -> Result<PathBuf> {
    up::build()?;
    workspace::program()
}

fn fresh_seed() -> Result<u64> {
    // Short enough to be typed.
    Ok(u64::from_str_radix(&crate::files::random_hex(3)?, 16)?)
}

type Opened = (Vec<String>, Vec<Buyer>);

/// A sale for each minute, with its buyers.
fn open_sales(shop: &Shop, minutes: u16) -> Result<(Opened, String)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?.as_secs();
    let (mut sales, mut buyers) = (Vec::new(), Vec::new());
    let each = PRESSES_PER_S * 60;
    for minute in 1..=u64::from(minutes) {
        let id = format!("chaos-{minute:03}");
        let payment = if minute % 2 == 0 { SHORT_PAYMENT_S } else { LONG_PAYMENT_S };
        let sale = json!({
            "id": id, "title": "Chaos", "opensAt": rfc3339(now - 60), "closesAt": rfc3339(now + 86_400),
            "limitPerBuyer": 1, "paymentWindowSeconds": payment,
            "items": [{"id": "unit", "title": "One unit", "price": {"amount": 100, "currency": "CNY"},
                       "stock": each * UNITS_OF_TEN / 10}],
        });
        shop.operator("POST", "/admin/v1/sales", &sale.to_string())?;
        shop.operator("POST", &format!("/admin/v1/sales/{id}/warm"), "")?;
        shop.operator("POST", &format!("/admin/v1/sales/{id}/open"), "")?;
        let (prefix, many) = (format!("b{minute}-"), each.to_string());
        let minted = ["tokens", "mint", "--sale", &id, "--prefix", &prefix, "--buyers", &many, "--ttl", "6h"];
        let bodies = shop.seckill(&minted)?;
        buyers.extend(bodies.lines().enumerate().map(|(n, body)| Buyer {
            sale: id.clone(),
            name: format!("{prefix}{}", n + 1),
            body: body.to_owned(),
        }));
        sales.push(id);
    }
    // A gateway that has not read them yet would say, rightly, that there are none.
    sales.iter().try_for_each(|sale| shop.wait_until_known(sale))?;
    let said = format!("{} of them, {} buyers", sales.len(), buyers.len());
    Ok(((sales, buyers), said))
}

/// The whole schedule, each blow on a thread of its own, because some are still on when the next one falls.
fn strike_all(shop: &Shop, blows: &[Blow], length: Duration) {
    let started = Instant::now();
    thread::scope(|scope| {
        for blow in blows {
            while started.elapsed() < blow.at {
                if signals::stopping() {
                    return;
                }
                thread::sleep(signals::LOOK_UP);
            }
            scope.spawn(move || {
                let what = format!("{:>7.1} s  {:?} {:?}", started.elapsed().as_secs_f64(), blow.target, blow.force);
                match shop.strike(blow) {
                    Ok(()) if blow.lasts.is_zero() => println!("{what}"),
                    Ok(()) => println!("{what} for {}", Took(blow.lasts)),
                    Err(error) => println!("{what} missed: {error:#}"),
                }
            });
        }
    });
    while started.elapsed() < length && !signals::stopping() {
        thread::sleep(signals::LOOK_UP);
    }
    shop.heal();
}

fn summary(seen: &crowd::Seen) -> String {
    let answers = seen.answers.iter().map(|(code, count)| format!("{count} {code}"));
    format!("answers: {}", answers.collect::<Vec<_>>().join(", "))
}
