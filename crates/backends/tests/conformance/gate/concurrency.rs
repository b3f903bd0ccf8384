//! How many orders and tasks may be in flight at once.

use std::time::Duration;

use backends::redis::{RedisGate, RedisSettings};
use domain::ports::{Acquired, ConcurrencyUsage, Obeyed};
use domain::{Attempt, ConcurrencyRules, Outcome, Refusal, Verdict};

use super::bench::{Bench, Time, redis_bench_and_settings, route, unlimited};
use crate::support::required;

const BUYER_BUSY: Refusal = Refusal::BuyerBusy { max: 1 };

fn by(channel: &str, attempt: Attempt) -> Attempt {
    Attempt { channel: channel.to_owned(), ..attempt }
}

fn channels(app: u32) -> ConcurrencyRules {
    ConcurrencyRules { platform_max: [("app".to_owned(), app), ("web".to_owned(), 0)].into(), ..unlimited() }
}

async fn usage(bench: &Bench) -> ConcurrencyUsage {
    bench.tokens.usage().await.unwrap()
}

async fn settles(bench: &Bench, n: u16, buyer: &str) {
    assert_eq!(bench.hold(&[bench.effect(n, 1, buyer, 1, Outcome::Placed)]).await, 1);
}

fn admitted(verdicts: &[Verdict]) -> Vec<bool> {
    verdicts.iter().map(|verdict| matches!(verdict, Verdict::Admitted(_))).collect()
}

pub(super) async fn a_buyer_has_one_order_in_flight_and_the_next_when_it_is_settled(bench: Bench) {
    bench.open(&[10], 5).await;
    bench.buys(1, "ann", 0, 1).await;
    let before = bench.counters().await;
    bench.is_refused(2, "ann", 0, 1, BUYER_BUSY).await;
    assert_eq!(bench.counters().await, before, "a refusal takes nothing");
    bench.buys(3, "bob", 0, 1).await;
    bench.queued(1).await;
    bench.is_refused(2, "ann", 0, 1, BUYER_BUSY).await;
    settles(&bench, 1, "ann").await;
    bench.buys(2, "ann", 0, 1).await; // the very token that was refused
    // Refused by Postgres is settled as well.
    let refused = Outcome::Refused(domain::RefusedReason::ALL[0]);
    assert_eq!(bench.hold(&[bench.effect(2, 1, "ann", 0, refused)]).await, 1);
    bench.buys(4, "ann", 0, 1).await;
}

pub(super) async fn a_buyer_has_as_many_orders_in_flight_as_the_rules_say_over_all_sales(bench: Bench) {
    bench.obey(1, &ConcurrencyRules { account_max: 2, ..ConcurrencyRules::default() }).await;
    let other = Bench { route: route(2, 0), ..bench.clone() };
    bench.open(&[10], 5).await;
    other.open(&[10], 5).await;
    bench.buys(1, "ann", 0, 1).await;
    other.buys(1, "ann", 0, 1).await;
    bench.is_refused(2, "ann", 0, 1, Refusal::BuyerBusy { max: 2 }).await;
    settles(&other, 1, "ann").await;
    bench.buys(2, "ann", 0, 1).await;
}

pub(super) async fn a_channel_is_limited_and_no_other_one(bench: Bench) {
    bench.obey(1, &channels(2)).await;
    bench.open(&[10], 5).await;
    let asks = async |n, channel| bench.ask(&by(channel, bench.attempt(n, &format!("buyer-{n}"), 0, 1))).await;
    for n in [1, 2] {
        assert!(matches!(asks(n, "app").await, Verdict::Admitted(_)));
    }
    assert_eq!(asks(3, "app").await, Verdict::Refused(Refusal::ChannelBusy));
    for (n, channel) in [(4, "web"), (5, ""), (6, "mini-program")] {
        assert!(matches!(asks(n, channel).await, Verdict::Admitted(_)), "{channel}");
    }
    assert_eq!(usage(&bench).await.platforms, [("app".to_owned(), 2)].into(), "the unlimited one keeps no tokens");
    settles(&bench, 1, "buyer-1").await;
    assert!(matches!(asks(3, "app").await, Verdict::Admitted(_)));
}

pub(super) async fn all_orders_together_are_limited_over_all_sales(bench: Bench) {
    bench.obey(1, &ConcurrencyRules { global_max: 2, ..unlimited() }).await;
    let other = Bench { route: route(2, 0), ..bench.clone() };
    bench.open(&[10], 5).await;
    other.open(&[10], 5).await;
    bench.buys(1, "ann", 0, 1).await;
    other.buys(1, "bob", 0, 1).await;
    bench.is_refused(2, "cid", 0, 1, Refusal::AllBusy).await;
    assert_eq!(usage(&bench).await.global, Some(2));
    settles(&bench, 1, "ann").await;
    other.buys(2, "cid", 0, 1).await;
}

pub(super) async fn a_group_is_admitted_up_to_the_limit(bench: Bench) {
    bench.obey(1, &ConcurrencyRules { global_max: 3, account_max: 1, ..channels(2) }).await;
    bench.open(&[100], 5).await;
    let group = [
        by("app", bench.attempt(1, "ann", 0, 1)),
        by("app", bench.attempt(2, "ann", 0, 1)), // the same buyer
        by("app", bench.attempt(3, "bob", 0, 1)),
        by("app", bench.attempt(4, "cid", 0, 1)), // the channel's third
        by("web", bench.attempt(5, "dan", 0, 1)),
        by("web", bench.attempt(6, "eve", 0, 1)), // the fourth of all
    ];
    let verdicts = bench.admit(&group).await;
    assert_eq!(admitted(&verdicts), [true, false, true, false, true, false]);
    let refused = |at: usize| verdicts[at].clone();
    assert_eq!(refused(1), Verdict::Refused(BUYER_BUSY));
    assert_eq!(refused(3), Verdict::Refused(Refusal::ChannelBusy));
    assert_eq!(refused(5), Verdict::Refused(Refusal::AllBusy));
    let live = usage(&bench).await;
    assert_eq!((live.global, live.platforms["app"]), (Some(3), 2));
    assert_eq!(bench.counters().await, [(97, 3, 0)]);
}

pub(super) async fn whoever_is_refused_for_another_reason_takes_no_token(bench: Bench) {
    bench.obey(1, &ConcurrencyRules { global_max: 5, ..ConcurrencyRules::default() }).await;
    bench.open(&[1, 0], 1).await;
    bench.is_refused(1, "ann", 1, 1, Refusal::SoldOut).await;
    bench.is_refused(1, "ann", 0, 2, Refusal::QuantityAboveLimit { limit: 1 }).await;
    bench.is_refused(1, "ann", 9, 1, Refusal::UnknownItem).await;
    assert_eq!(usage(&bench).await.global, Some(0));
    bench.buys(1, "ann", 0, 1).await;
    // Both apply: what is for good is said first.
    bench.is_refused(2, "ann", 0, 1, Refusal::LimitReached { limit: 1, job: bench.job(1) }).await;
    assert_eq!(usage(&bench).await.global, Some(1));
}

pub(super) async fn an_admitted_token_is_answered_and_takes_no_second_place(bench: Bench) {
    bench.obey(1, &ConcurrencyRules { global_max: 1, ..ConcurrencyRules::default() }).await;
    bench.open(&[10], 5).await;
    let record = bench.buys(1, "ann", 0, 1).await;
    for _ in 0..3 {
        assert_eq!(bench.buy(1, "ann", 0, 1).await, Verdict::Repeated(record.clone()));
    }
    assert_eq!(usage(&bench).await.global, Some(1));
}

pub(super) async fn where_nothing_is_limited_no_token_is_kept(bench: Bench) {
    let off = ConcurrencyRules { global_max: 1, enabled: false, ..channels(1) };
    bench.open(&[100], 50).await;
    for (version, rules) in [(1, unlimited()), (2, off)] {
        bench.obey(version, &rules).await;
        for n in 0..5 {
            let attempt = by("app", bench.attempt(10 * version as u16 + n, "ann", 0, 1));
            assert!(matches!(bench.ask(&attempt).await, Verdict::Admitted(_)));
        }
        assert_eq!(usage(&bench).await, ConcurrencyUsage::default());
    }
    assert!(bench.tokens.stats().await.unwrap().is_empty());
    // They are not remembered either when a limit comes.
    bench.obey(3, &ConcurrencyRules { global_max: 1, ..channels(1) }).await;
    assert_eq!(usage(&bench).await.global, Some(0));
}

pub(super) async fn a_limit_that_was_taken_away_and_comes_back_starts_from_nothing(bench: Bench) {
    let limited = ConcurrencyRules { global_max: 1, account_max: 0, ..channels(1) };
    bench.open(&[10], 5).await;
    bench.obey(1, &limited).await;
    assert!(matches!(bench.ask(&by("app", bench.attempt(1, "ann", 0, 1))).await, Verdict::Admitted(_)));
    bench.obey(2, &unlimited()).await;
    settles(&bench, 1, "ann").await;
    bench.obey(3, &limited).await;
    let live = usage(&bench).await;
    assert_eq!((live.global, live.platforms["app"]), (Some(0), 0));
}

pub(super) async fn tokens_that_nobody_gives_back_end_by_themselves(bench: Bench) {
    let rules = ConcurrencyRules { global_max: 1, timeout: 1, ..ConcurrencyRules::default() };
    bench.obey(1, &ConcurrencyRules { task_type_max: [("publish".to_owned(), 1)].into(), ..rules }).await;
    bench.open(&[10], 5).await;
    bench.buys(1, "ann", 0, 1).await;
    assert_eq!(bench.tokens.acquire("publish", "a").await.unwrap(), Acquired::Taken);
    bench.is_refused(2, "bob", 0, 1, Refusal::AllBusy).await;
    bench.pass(Duration::from_millis(2_000)).await;
    let live = usage(&bench).await;
    assert_eq!((live.global, live.task_types["publish"]), (Some(0), 0));
    bench.buys(2, "ann", 0, 1).await;
    assert_eq!(bench.tokens.acquire("publish", "b").await.unwrap(), Acquired::Taken);
    // The late effect of the first gives back its own, which is gone, and not the second's.
    settles(&bench, 1, "ann").await;
    assert_eq!(usage(&bench).await.global, Some(1));
}

pub(super) async fn tokens_of_a_sale_that_was_lost_are_given_back_when_it_is_loaded_again(bench: Bench) {
    bench.obey(1, &ConcurrencyRules { global_max: 9, ..ConcurrencyRules::default() }).await;
    bench.open(&[10], 5).await;
    bench.buys(1, "ann", 0, 1).await;
    bench.load(&bench.rules(2, &[10], 5), domain::SaleState::Open).await;
    bench.is_refused(2, "ann", 0, 1, BUYER_BUSY).await;
    settles(&bench, 1, "ann").await;
    assert_eq!(usage(&bench).await.global, Some(0));
    bench.buys(2, "ann", 0, 1).await;
}

pub(super) async fn a_job_whose_reservation_was_lost_has_its_place_still(bench: Bench) {
    bench.obey(1, &ConcurrencyRules { global_max: 1, ..channels(1) }).await;
    bench.open(&[10], 5).await;
    let attempt = by("app", bench.attempt(1, "ann", 0, 1));
    assert!(matches!(bench.ask(&attempt).await, Verdict::Admitted(_)));
    bench.load(&bench.rules(2, &[10], 5), domain::SaleState::Open).await;
    // The buyer sends the same token again: nobody may keep her waiting for a place that is her own.
    assert!(matches!(bench.ask(&attempt).await, Verdict::Admitted(_)));
    let live = usage(&bench).await;
    assert_eq!((live.global, live.platforms["app"]), (Some(1), 1));
    bench.is_refused(2, "ann", 0, 1, Refusal::AllBusy).await;
    settles(&bench, 1, "ann").await;
    bench.buys(2, "ann", 0, 1).await;
}

pub(super) async fn the_latest_rules_are_obeyed_and_older_ones_are_not(bench: Bench) {
    let one = ConcurrencyRules { global_max: 1, ..ConcurrencyRules::default() };
    let two = ConcurrencyRules { global_max: 2, ..ConcurrencyRules::default() };
    let obey = async |version, rules, force| bench.tokens.obey(version, rules, force).await.unwrap();
    assert_eq!(obey(4, &two, false).await, Obeyed::Written);
    assert_eq!(obey(4, &two, false).await, Obeyed::Kept);
    assert_eq!(obey(3, &one, false).await, Obeyed::Newer(4));
    assert_eq!(obey(4, &one, false).await, Obeyed::Written, "somebody has changed them by hand");
    assert_eq!(obey(5, &two, false).await, Obeyed::Written);
    assert_eq!(obey(1, &one, true).await, Obeyed::Written);
    assert_eq!(obey(2, &one, false).await, Obeyed::Written);
}

pub(super) async fn tasks_of_a_type_run_up_to_their_limit(bench: Bench) {
    let acquire = async |task, token| bench.tokens.acquire(task, token).await.unwrap();
    assert_eq!(acquire("publish", "a").await, Acquired::Unlimited);
    let tasks = [("publish".to_owned(), 2), ("refund".to_owned(), 1)];
    bench.obey(1, &ConcurrencyRules { task_type_max: tasks.into(), ..unlimited() }).await;
    assert_eq!(acquire("publish", "a").await, Acquired::Taken);
    assert_eq!(acquire("publish", "b").await, Acquired::Taken);
    assert_eq!(acquire("publish", "c").await, Acquired::Busy);
    assert_eq!(acquire("refund", "c").await, Acquired::Taken);
    assert_eq!(acquire("rebuild", "c").await, Acquired::Unlimited);
    bench.tokens.renew("publish", "a").await.unwrap();
    assert_eq!(usage(&bench).await.task_types, [("publish".to_owned(), 2), ("refund".to_owned(), 1)].into());
    bench.tokens.release("publish", "a").await.unwrap();
    bench.tokens.release("publish", "a").await.unwrap();
    assert_eq!(acquire("publish", "c").await, Acquired::Taken);
    // A renewal finds its place, whatever came meanwhile.
    bench.tokens.renew("publish", "a").await.unwrap();
    assert_eq!(usage(&bench).await.task_types["publish"], 3);
}

pub(super) async fn what_was_taken_and_given_back_is_counted(bench: Bench) {
    let rules = ConcurrencyRules { task_type_max: [("publish".to_owned(), 9)].into(), ..channels(9) };
    bench.obey(1, &ConcurrencyRules { account_max: 1, ..rules }).await;
    bench.open(&[10], 5).await;
    let group = [
        by("app", bench.attempt(1, "ann", 0, 1)),
        by("web", bench.attempt(2, "bob", 0, 1)),
        bench.attempt(3, "cid", 0, 1),
    ];
    bench.admit(&group).await;
    bench.is_refused(4, "ann", 0, 1, BUYER_BUSY).await;
    bench.is_refused(5, "any-channel-that-the-rules-do-not-name", 1, 1, Refusal::UnknownItem).await;
    assert!(matches!(bench.ask(&by("unnamed", bench.attempt(6, "dan", 0, 1))).await, Verdict::Admitted(_)));
    settles(&bench, 1, "ann").await;
    bench.tokens.acquire("publish", "a").await.unwrap();
    bench.tokens.release("publish", "a").await.unwrap();
    let counted: Vec<(String, u64)> = bench.tokens.stats().await.unwrap().into_iter().collect();
    let named = |name: &str, count| (name.to_owned(), count);
    let expected = [
        named("acquired:platform:app", 1),
        named("acquired:platform:web", 1),
        named("acquired:task_type:publish", 1),
        named("acquired:total", 5),
        named("released:total", 2),
    ];
    assert_eq!(counted, expected);
    if let Time::ByHand(_) = bench.time {
        bench.pass(Duration::from_secs(23 * 3_600)).await;
        assert_eq!(bench.tokens.stats().await.unwrap()["acquired:total"], 5, "a day has 24 hours");
        bench.pass(Duration::from_secs(3_600)).await;
        assert!(bench.tokens.stats().await.unwrap().is_empty());
    }
}

/// What no port can do: look at the keys, and spoil them.
struct ByHand {
    connection: redis::aio::MultiplexedConnection,
    prefix: String,
}

impl ByHand {
    async fn on(settings: &RedisSettings) -> Self {
        let client = redis::Client::open(required("REDIS_URL")).unwrap();
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        Self { connection, prefix: settings.concurrency_prefix.clone() }
    }

    async fn run<T: redis::FromRedisValue>(&mut self, command: &str, name: &str, more: &[&str]) -> T {
        let key = format!("{}:{name}", self.prefix);
        redis::cmd(command).arg(key).arg(more).query_async(&mut self.connection).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keys_are_those_of_the_requirements_and_another_instance_obeys_them_at_once() {
    let (bench, settings) = redis_bench_and_settings().await;
    let mut hand = ByHand::on(&settings).await;
    bench.open(&[100], 50).await;
    let rules = ConcurrencyRules { global_max: 1, ..channels(5) };
    bench.obey(1, &ConcurrencyRules { account_max: 1, ..rules.clone() }).await;
    let verdict = bench.ask(&by("app", bench.attempt(1, "ann", 0, 1))).await;
    assert!(matches!(verdict, Verdict::Admitted(_)));
    let other = Bench { gate: RedisGate::connect(&settings).await.unwrap(), ..bench.clone() };
    other.is_refused(2, "bob", 0, 1, Refusal::AllBusy).await;
    bench.obey(2, &ConcurrencyRules { account_max: 1, global_max: 2, ..rules }).await;
    other.buys(2, "bob", 0, 1).await;

    let text: String = hand.run("GET", "config", &[]).await;
    let written: ConcurrencyRules = serde_json::from_str(&text).unwrap();
    assert_eq!((written.global_max, written.platform_max["app"]), (2, 5));
    let now = chrono::Utc::now().timestamp() as f64;
    for (key, count) in [("global", 2), ("platform:app", 1), ("account:ann", 1)] {
        let key = format!("semaphore:{key}");
        let live: Vec<(String, f64)> = hand.run("ZRANGE", &key, &["0", "-1", "WITHSCORES"]).await;
        assert_eq!(live.len(), count, "{key}");
        assert!(live.iter().any(|(token, _)| *token == bench.job(1).to_string()), "{key}: {live:?}");
        assert!(live.iter().all(|(_, expiry)| (now + 280.0..now + 310.0).contains(expiry)), "{live:?}");
        let lives_s: i64 = hand.run("TTL", &key, &[]).await;
        assert!((1..=300).contains(&lives_s), "{key} ends by itself");
    }
    let counted: u64 = hand.run("HGET", "stats:counters", &["acquired:platform:app"]).await;
    assert_eq!(counted, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sets_that_somebody_deletes_or_spoils_heal() {
    let (bench, settings) = redis_bench_and_settings().await;
    let mut hand = ByHand::on(&settings).await;
    bench.open(&[100], 50).await;
    bench.obey(1, &ConcurrencyRules { global_max: 2, ..ConcurrencyRules::default() }).await;
    bench.buys(1, "ann", 0, 1).await;
    bench.buys(2, "bob", 0, 1).await;
    bench.is_refused(3, "cid", 0, 1, Refusal::AllBusy).await;
    for key in ["semaphore:global", "semaphore:account:ann"] {
        assert_eq!(hand.run::<u64>("DEL", key, &[]).await, 1);
    }
    bench.buys(3, "ann", 0, 1).await;
    settles(&bench, 1, "ann").await; // its tokens are gone already
    assert_eq!(usage(&bench).await.global, Some(1));
    // What is not even a set is forgotten.
    for key in ["semaphore:global", "semaphore:account:cid", "stats:counters"] {
        let _: () = hand.run("SET", key, &["nonsense"]).await;
    }
    assert_eq!(usage(&bench).await.global, Some(0));
    settles(&bench, 2, "bob").await;
    bench.buys(4, "cid", 0, 1).await;
    assert_eq!(usage(&bench).await.global, Some(1));
    assert_eq!(bench.tokens.stats().await.unwrap()["acquired:total"], 4);
    // Rules that are no rules are the default.
    let _: () = hand.run("SET", "config", &["[1"]).await;
    bench.buys(5, "dan", 0, 1).await;
    bench.is_refused(6, "dan", 0, 1, BUYER_BUSY).await;
    let _: () = hand.run("SET", "config", &["{\"account_max\":\"x\",\"platform_max\":7,\"timeout\":null}"]).await;
    bench.buys(7, "eve", 0, 1).await;
    bench.is_refused(8, "eve", 0, 1, BUYER_BUSY).await;
    // Nor does a number that nothing can be done with stop a purchase half way.
    let (mut n, mut buyer) = (9, 0);
    for timeout in ["300.5", "0.001", "1e12", "1e400", "-7", "86400.9", "\"x\"", "[]"] {
        for maxima in [
            "\"account_max\":1",
            "\"account_max\":1.9,\"global_max\":\"many\"",
            "\"account_max\":0.5,\"global_max\":1e400",
            "\"account_max\":true,\"platform_max\":{\"app\":\"x\",\"web\":1.5},\"task_type_max\":{\"sync\":[]}",
        ] {
            let text = format!("{{\"timeout\":{timeout},{maxima}}}");
            let _: () = hand.run("SET", "config", &[&text]).await;
            let name = format!("buyer-{buyer}");
            let before = bench.counters().await;
            bench.buys(n, &name, 0, 1).await;
            bench.is_refused(n + 1, &name, 0, 1, BUYER_BUSY).await;
            let lives = hand.run::<i64>("TTL", &format!("semaphore:account:{name}"), &[]).await;
            assert!((0..=86_400).contains(&lives), "{text}: {lives}");
            assert_ne!(bench.counters().await, before, "{text}");
            usage(&bench).await;
            (n, buyer) = (n + 2, buyer + 1);
        }
    }
}
