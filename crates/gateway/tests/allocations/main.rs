//! How often memory is asked for where a whole crowd passes. A number here goes up only for a reason.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../http/quota_world.rs"]
mod quota_world;
#[allow(dead_code)]
#[path = "../http/shop.rs"]
mod shop;
#[allow(dead_code)]
#[path = "../http/world.rs"]
mod world;

use std::alloc::System;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::{BuyerId, JobId, Route, SaleNumber, SaleToken, Shard, TokenKey, TokenKeys};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

use crate::shop::{Shop, unlimited};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The whole process is counted, so its tests take turns.
static TURN: Mutex<()> = Mutex::new(());

/// A number of calls, so that what happens beside them hardly counts.
const CALLS: usize = 2_000;

/// How often memory is asked for by each of so many calls, growing included, rounded.
fn allocations_per_call(calls: impl FnOnce()) -> usize {
    let region = Region::new(ALLOCATOR);
    calls();
    let change = region.change();
    (change.allocations + change.reallocations + CALLS / 2) / CALLS
}

#[test]
fn a_token_is_verified_with_memory_for_its_texts_only() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let keys = TokenKeys::new(vec![TokenKey::new("t", &[9; 32]).unwrap()]).unwrap();
    let route = Route { sale: SaleNumber::new(1).unwrap(), shard: Shard::default() };
    let token = SaleToken {
        job: JobId::new(1_795_000_000_000, route, [1; 6]),
        buyer: "ann".parse::<BuyerId>().unwrap(),
        channel: "web".to_owned(),
        not_before: domain::from_ms(1_795_000_000_000),
        expires_at: domain::from_ms(1_795_000_120_000),
    };
    let text = keys.sign(&token);
    // The other test's shop starts meanwhile: the least of a few rounds is the token's own.
    let rounds = (0..50).map(|_| allocations_per_call(|| (0..CALLS).for_each(|_| drop(keys.verify(&text).unwrap()))));
    let each = rounds.min().unwrap();
    assert!(each <= 2, "{each} for each token");
}

/// From the bytes on the connection to the bytes of the answer, the framework included.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_from_memory_takes_little_of_it() {
    let mut settings = unlimited();
    settings.sold_out.from_per_s = 1;
    let shop = Shop::start_with(settings).await;
    shop.open("s1", 1, 1).await;
    shop.buy("owner", 1).await.expect(202);
    let (token, _) = shop.token("stranger", "s1").await;
    let body = json!({ "token": token, "item": "red", "quantity": 1 }).to_string();
    let request = format!(
        "POST /api/v1/sales/s1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = TcpStream::connect(shop.buyers).unwrap();
    connection.set_nodelay(true).unwrap();
    let mut answer = [0; 4096];
    let mut ask = |times: usize| {
        for _ in 0..times {
            connection.write_all(request.as_bytes()).unwrap();
            let length = connection.read(&mut answer).unwrap(); // one answer: one segment on this machine
            assert!(answer[..length].starts_with(b"HTTP/1.1 409"));
        }
    };
    // What happens beside the calls comes on top, on a slow machine more of it: the least of a few rounds is theirs.
    let mut rounds = Vec::new();
    for _ in 0..100 {
        ask(CALLS / 10); // every buffer and queue gets its size
        let asked = || shop.world.faults.asked.load(Ordering::SeqCst);
        let before = asked();
        let each = {
            let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
            allocations_per_call(|| ask(CALLS))
        };
        if asked() == before {
            rounds.push(each);
        }
        if rounds.len() == 5 {
            let least = *rounds.iter().min().unwrap();
            println!("{least} for each refusal: {rounds:?}");
            assert!(least <= 22, "{least} for each refusal");
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nearly each of a hundred rounds had to ask the gate");
}
