//! Names, units and meanings of the measures. The recorder is installed by the program, before anything else.

use metrics::{Counter, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};

use crate::problem::Code;

/// Bounds of every histogram of seconds: fine around the promises (5 ms, 25 ms), coarse where only "slow" matters.
pub const SECONDS_BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Tells the recorder what the measures of this crate mean.
pub fn describe_metrics() {
    describe_counter!("seckill_http_requests_total", Unit::Count, "Requests answered, by route, method and status");
    describe_histogram!("seckill_http_request_seconds", Unit::Seconds, "From the head of a request to its answer");
    describe_gauge!("seckill_http_connections", Unit::Count, "Connections open now");
    describe_gauge!("seckill_http_in_flight", Unit::Count, "Requests to /api/ being answered now");
    describe_gauge!("seckill_http_waits", Unit::Count, "Requests waiting for the end of a job now");
    describe_counter!("seckill_shed_total", Unit::Count, "Work refused before it was done, by reason");
    describe_counter!("seckill_sold_out_from_memory_total", Unit::Count, "Purchases answered sold-out without Redis");
    describe_gauge!("seckill_sold_out_jobs_known", Unit::Count, "Jobs in memory for the sold-out answer");
    describe_counter!("seckill_purchases_total", Unit::Count, "Purchases answered: accepted, repeated, or the problem");
    describe_gauge!("seckill_ledger_units", Unit::Count, "Units of an item in each term of the ledger");
    describe_gauge!("seckill_ledger_alarm", Unit::Count, "1: the books have not balanced for 30 s");
    describe_gauge!("seckill_ledger_difference", Unit::Count, "Units missing (above 0) or too many (below)");
    describe_counter!("seckill_payment_webhooks_total", Unit::Count, "Payment webhooks believed, by what they said");
    describe_counter!("seckill_refunds_total", Unit::Count, "Payments that were given back");
    describe_counter!("seckill_orders_expired_total", Unit::Count, "Orders that were not paid in time");
    describe_counter!("seckill_cleared_rows_total", Unit::Count, "Rows cleared of sales that are over");
    describe_counter!("seckill_breaker_rejected_total", Unit::Count, "Calls not made: the dependency did not answer");
    describe_counter!("seckill_fallbacks_total", Unit::Count, "Done in another way, because a dependency was away");
    describe_counter!("seckill_tasks_busy_total", Unit::Count, "Tasks that got no token, by type; they come again");
    describe_counter!(
        "seckill_tasks_unchecked_total",
        Unit::Count,
        "Tasks that ran while nobody could be asked for one"
    );
    describe_counter!("seckill_quota_events_total", Unit::Count, "Uses of quotas: taken, and what became of them");
    describe_counter!("seckill_quota_batches_total", Unit::Count, "Batches of usage written");
    describe_gauge!("seckill_quota_waiting", Unit::Count, "Uses of quotas that are not written yet");
    describe_counter!("seckill_quota_refused_total", Unit::Count, "Uses refused because a quota was used up");
    describe_counter!("seckill_quota_unseeded_total", Unit::Count, "Counters begun without asking Postgres");
    describe_counter!("seckill_quota_workers_replaced_total", Unit::Count, "Workers that died and were replaced");
    describe_counter!("seckill_connections_renewed_total", Unit::Count, "Connections lost or grown old, and made anew");
    describe_counter!("seckill_tasks_total", Unit::Count, "Tasks ended, by pool and outcome");
    describe_counter!("seckill_locks_total", Unit::Count, "Locks taken, by operation");
    describe_counter!("seckill_lock_timeouts_total", Unit::Count, "Waits that ended without the lock");
    describe_counter!("seckill_locks_lost_total", Unit::Count, "Locks that were lost while they were needed");
    describe_gauge!("seckill_jobs_waiting", Unit::Count, "Jobs admitted and not settled yet");
    describe_gauge!("seckill_limiter_keys", Unit::Count, "Callers remembered, by limit");
    describe_gauge!("seckill_limited_callers", Unit::Count, "Different callers refused by a limit within a minute");
    describe_gauge!("seckill_dependency_up", Unit::Count, "1 while the dependency answers, 0 while it does not");
}

/// The position of a job's word among [`crate::ANSWERS`].
pub fn job_word(repeated: bool) -> usize {
    usize::from(repeated)
}

/// The position of a problem's word there.
pub fn problem_word(code: Code) -> usize {
    2 + code as usize
}

/// Purchases by their answer: one counter for each word, found once.
pub struct PurchaseCounters {
    accepted: Counter,
    repeated: Counter,
    problems: Vec<Counter>,
}

impl PurchaseCounters {
    pub fn new() -> Self {
        let by_code = |code: &'static str| counter!("seckill_purchases_total", "code" => code);
        Self {
            accepted: by_code("accepted"),
            repeated: by_code("repeated"),
            problems: Code::ALL.iter().map(|code| by_code(code.as_str())).collect(),
        }
    }

    /// A job was answered.
    pub fn job(&self, repeated: bool) {
        if repeated { self.repeated.increment(1) } else { self.accepted.increment(1) }
    }

    /// A problem was answered.
    pub fn problem(&self, code: Code) {
        if let Some(counter) = self.problems.get(code as usize) {
            counter.increment(1);
        }
    }
}

/// Counts a connection for as long as it lives.
pub struct Connection;

impl Connection {
    pub fn opened() -> Self {
        gauge!("seckill_http_connections").increment(1.0);
        Self
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        gauge!("seckill_http_connections").decrement(1.0);
    }
}
