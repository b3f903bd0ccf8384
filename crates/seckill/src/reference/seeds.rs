//! Where each parameter of the seeds went.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Key;

/// What became of a parameter.
enum Here {
    /// This key of the configuration; its default is looked up.
    Key(&'static str),
    /// This field of a document that operators change while it runs, with its default.
    Live(&'static str, &'static str),
    /// A constant, a mechanism or a file, with its value.
    Is(&'static str, &'static str),
}
use Here::{Is, Key as K, Live};

/// A parameter, the seed's value, ours, and why it differs; no reason where it does not.
type Line = (&'static str, &'static str, Here, &'static str);

/// Each seed with its parameters.
const SEEDS: &[(&str, &[Line])] = &[
    ("Dynamic concurrency control (`dynamic-concurrency-control.md`)", CONCURRENCY),
    ("Asynchronous quotas (`async-quota.md`)", QUOTAS),
    ("Concurrency manager (`concurrency-manager.md`)", MANAGER),
    ("Bot concurrency (`bot-concurrency.md`)", BOT),
    ("High concurrency, part 1 (`high-concurrency-and-seckill.md`)", ASYNCHRONOUS),
    ("High concurrency, part 2: the flash sale (`high-concurrency-and-seckill.md`)", SALE),
];

const CONCURRENCY: &[Line] = &[
    ("`global_max`", "0", Live("concurrency `global_max`", "0"), ""),
    (
        "`platform_max` douyin, xiaohongshu, kuaishou, bilibili, channels",
        "0",
        Live("concurrency `platform_max`", "0"),
        "",
    ),
    ("`account_max`", "1", Live("concurrency `account_max`", "1"), ""),
    ("`task_type_max` publish, batch_publish", "0", Live("concurrency `task_type_max`", "0"), ""),
    ("`enabled`", "true", Live("concurrency `enabled`", "true"), ""),
    ("`timeout`, seconds", "300", Live("concurrency `timeout`", "300"), ""),
    ("wait before a retry, seconds", "30", K("concurrency.wait_s"), ""),
    (
        "`concurrency:*` in Redis",
        "concurrency",
        K("concurrency.prefix"),
        "not set it is `concurrency`, or `<namespace>:concurrency` in a second installation",
    ),
    ("statistics kept for", "24 h", Is("hourly sums beside `concurrency:stats:counters`", "24 h"), ""),
    (
        "monitoring interval",
        "5 s",
        Is("the caller's choice; `/usage` is one round trip", "–"),
        "a page or a script asks as often as it likes",
    ),
];

const QUOTAS: &[Line] = &[
    ("`enabled`", "true", K("quotas.enabled"), ""),
    ("`worker_count`", "3", K("quotas.worker_count"), ""),
    ("`channel_size`", "1000", K("quotas.channel_size"), ""),
    ("`batch_size`", "10", K("quotas.batch_size"), ""),
    ("`flush_interval`, ms", "5000", K("quotas.flush_interval_ms"), ""),
    ("`retry_attempts`", "3", K("quotas.retry_attempts"), ""),
    ("`retry_delay`, ms", "100", K("quotas.retry_delay_ms"), ""),
    (
        "high concurrency: workers, channel, batch, flush",
        "5, 2000, 20, 3 s",
        Is("`quotas.preset = \"high-concurrency\"`", "5, 2000, 20, 3 s"),
        "",
    ),
    (
        "low latency: workers, channel, batch, flush",
        "2, 500, 5, 1 s",
        Is("`quotas.preset = \"low-latency\"`", "2, 500, 5, 1 s"),
        "",
    ),
];

const MANAGER: &[Line] = &[
    ("`lockTimeout`, seconds", "30", K("locks.timeout_s"), ""),
    ("`workerPoolSize`", "50", K("tasks.workers"), ""),
    ("`batchSize`", "100", K("batch.size"), ""),
    ("`DelayBetween`, ms", "10", K("batch.pause_ms"), ""),
    ("`MaxRetries` of a batch", "3", K("batch.max_retries"), ""),
    ("`RetryDelay` of a batch, ms", "1000", K("batch.retry_delay_ms"), ""),
    ("`rateLimitWindow`", "24h", Is("a rule's `windowSeconds`, 1 to 86400", "24h"), ""),
    (
        "example: 3 `letter_created` a day",
        "3 / 24 h",
        Is("a rule `sliding-window`, `limit` 3, `windowSeconds` 86400", "none"),
        "no shared rule is set by default: none costs a round trip",
    ),
    (
        "Redis `maxRetries`",
        "3",
        Is("one retry of a command whose connection was closed", "1"),
        "every script may be repeated, and a buyer waits: the second failure is said at once",
    ),
    (
        "Redis `poolSize`, `minIdleConns`",
        "10, 5",
        Is("one multiplexed connection, `redis.in_flight`", "1"),
        "commands of all tasks share one connection without waiting for each other",
    ),
    (
        "Redis `maxConnAge`",
        "30m",
        Is("a connection lives until it fails", "–"),
        "a silent one is replaced after three lost answers",
    ),
    (
        "Postgres `maxOpenConns`",
        "100",
        K("postgres.pool_size"),
        "one writer for each lane keeps the optimistic lock quiet; more connections only queue in the database",
    ),
    (
        "Postgres `maxIdleConns`",
        "10",
        K("postgres.pool_min"),
        "idle ones are closed after a while, and groups need few",
    ),
    (
        "Postgres `connMaxLifetime`",
        "1h",
        Is("5 minutes", "5 min"),
        "a connection that was left in a bad state goes soon",
    ),
    ("Postgres `connMaxIdleTime`", "10m", Is("none below the lifetime", "–"), "the lifetime ends idle ones too"),
];

const BOT: &[Line] = &[
    ("`max_locks`", "2000", K("locks.max_here"), ""),
    ("`cleanup_interval`, seconds", "300", K("locks.idle_s"), ""),
    (
        "pool health check every",
        "60 s",
        Is("each dependency is looked at once a second", "1 s"),
        "a sale is over in less than a minute",
    ),
    (
        "limit of a user: 20 calls in 60 s",
        "20 / 60 s",
        Is("`limits.order_per_buyer`", "5 /s, 10 at once"),
        "a buyer presses a button, and a token is good for one order",
    ),
    (
        "limit of the database: 30 calls in 60 s",
        "30 / 60 s",
        Is("no request waits for the database", "–"),
        "consumers write in batches, one at a time for each lane",
    ),
    ("concurrent tasks", "20", K("tasks.max_concurrent"), ""),
    ("retries", "3", K("retry.max_retries"), ""),
    ("base delay of a retry, ms", "100", K("retry.base_delay_ms"), ""),
    ("high load: tasks", "50", Is("`preset = \"high-load\"`: `tasks.max_concurrent`", "50"), ""),
    (
        "high load: limit",
        "100 / 60 s",
        Is("`preset = \"high-load\"`: limits of a buyer", "twice the default"),
        "ours are per second: the table of presets says each value",
    ),
    ("low resources: tasks", "10", Is("`preset = \"low-resource\"`: `tasks.max_concurrent`", "10"), ""),
    (
        "low resources: limit",
        "20 / 60 s",
        Is("`preset = \"low-resource\"`: limits of a buyer", "half the default"),
        "ours are per second",
    ),
    (
        "low resources: pool, at most and at least",
        "10, 2",
        Is("`preset = \"low-resource\"`: `postgres.pool_size`, `postgres.pool_min`", "4, 2"),
        "our pool has 8 by default, because groups need few connections",
    ),
    ("`max_records` of the monitor", "5000", K("performance.max_records"), ""),
    ("performance line every, seconds", "60", K("performance.log_every_s"), ""),
];

const ASYNCHRONOUS: &[Line] = &[
    (
        "job status kept",
        "24 h",
        Is("a job is readable until 25 h after its last change or its sale's end", "25 h"),
        "24 h is the promise; the hour is for clocks",
    ),
    ("core pool size", "CPUs", K("gateway.workers"), "0 means one for each processor"),
    ("maximum pool size", "2 × CPUs", Is("tasks are not threads", "–"), "waiting costs no thread here"),
    (
        "queue capacity",
        "100",
        Is("purchases that wait for the gate", "4096"),
        "some forty milliseconds of work; above it the answer is `overloaded`, never a caller's thread",
    ),
    (
        "awaiting termination",
        "60 s",
        Is("what is in hand is answered", "10 s"),
        "nothing in hand takes longer; what is not acknowledged comes again",
    ),
    ("retry: attempts", "3", Is("outside calls: 3 attempts; a batch for Postgres: until it is written", "3"), ""),
    ("outbox swept every", "5 s", Is("woken by the commit; the sweep is the net below", "5 s"), ""),
    (
        "message idempotency kept",
        "24 h",
        Is("the order's primary key", "for good"),
        "a key that expires lets a late message in",
    ),
    (
        "limit",
        "100 requests/s",
        K("limits.per_ip.per_second"),
        "by address, and only of what shows no valid token; each buyer has limits of its own",
    ),
    ("Hikari `maximum-pool-size`", "12", K("postgres.pool_size"), "see above: one writer for each lane"),
    ("Hikari `minimum-idle`", "4", K("postgres.pool_min"), "the first rush opens more; `high-load` keeps 4"),
    (
        "Hikari `connection-timeout`, ms",
        "20000",
        K("postgres.acquire_timeout_ms"),
        "a batch is tried again; twenty seconds would be a stall",
    ),
    ("Hikari `idle-timeout`, `max-lifetime`", "5 min, 20 min", Is("lifetime", "5 min"), "as above"),
    ("Hikari `validation-timeout`", "5 s", Is("a health check", "1 s"), "it runs every second"),
    (
        "Hikari `leak-detection-threshold`",
        "60 s",
        Is("`idle_in_transaction_session_timeout`", "5 s"),
        "a transaction of ours takes milliseconds",
    ),
    (
        "Redis `timeout`, ms",
        "2000",
        K("redis.response_timeout_ms"),
        "a lost answer is said to be unknown while the buyer still looks",
    ),
    (
        "Redis pool `max-active`, `max-idle`, `min-idle`, `max-wait`",
        "20, 8, 2, 2 s",
        Is("one multiplexed connection", "1"),
        "as above",
    ),
    ("alert: jobs waiting", "> 1000", Is("`seckill_jobs_waiting`", "> 1000"), ""),
    ("alert: error rate", "> 5%", Is("`seckill_http_requests_total` by status", "> 5%"), ""),
    ("alert: p95", "> 5s", Is("`seckill_http_request_seconds`", "> 5s"), ""),
    ("alert: pool in use", "> 80%", Is("`seckill_db_pool_connections`", "> 80%"), ""),
    (
        "load plans: ramp, spike, soak",
        "10 → 1000, 1000 for 5 min, 500 for 1 h",
        Is("`loadtest/`", "10 → 1000, 1000 for 5 min, 500 for 1 h"),
        "",
    ),
];

const SALE: &[Line] = &[
    (
        "`product:stock:{id}`",
        "count",
        Is("`seckill:{N.0}:sale`, field `f<i>`", "units free"),
        "all items of a sale and its rules change in one step",
    ),
    (
        "`product:user:{id}`",
        "set",
        Is("`seckill:{N.0}:buyers`", "hash"),
        "units held are counted, and come back when an order ends",
    ),
    (
        "script answers",
        "1, -1, -2",
        Is("words, see `lua/admit.lua`", "admitted, sold-out, limit-reached"),
        "a caller cannot mix them up, and there are more of them",
    ),
    (
        "dynamic token",
        "void after use",
        K("gateway.token_life_s"),
        "also bound to buyer and sale, and usable only from the opening",
    ),
    ("`version` column", "0", Is("`sale_items.version`", "0"), ""),
];

/// The chapter for the document. Fails for a key that there is not, and for a difference without its reason.
pub fn chapter(keys: &BTreeMap<String, Key>) -> String {
    let mut text = String::from(
        "\n## The seeds' parameters\n\nEvery parameter that the requirements give, and where it went. A field in *italics* is part of a document \
         that operators change while everything runs (`GET` and `PUT` on the operators' port).\n",
    );
    for (seed, lines) in SEEDS {
        write!(
            text,
            "\n### {seed}\n\n| parameter | there | here | our default | why it differs |\n|---|---|---|---|---|\n"
        )
        .unwrap();
        for (parameter, there, here, why) in *lines {
            let (name, default) = match here {
                K(key) => {
                    let found = keys.get(*key).unwrap_or_else(|| panic!("{seed}: {parameter}: there is no key {key}"));
                    (format!("`{key}`"), found.default.trim_matches('`').to_owned())
                }
                Live(field, default) => (format!("*{field}*"), (*default).to_owned()),
                Is(what, value) => ((*what).to_owned(), (*value).to_owned()),
            };
            let same = default.trim_matches('"') == *there;
            assert!(
                same || !why.is_empty(),
                "{seed}: {parameter}: {there} there and {default} here, and nobody says why"
            );
            writeln!(text, "| {parameter} | {there} | {name} | {default} | {why} |").unwrap();
        }
    }
    text
}
