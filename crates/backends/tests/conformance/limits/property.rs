//! Limits against a model that is told the time of each decision: never more than the limit in any window, and never a
//! refusal that the model would not give, with the very wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use backends::SystemClock;
use backends::embedded::EmbeddedLimits;
use domain::ports::{LimitAlgorithm, SharedLimit, SharedLimits, Spent};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::bench::{GCRA, WINDOW, limit, redis_limits};
use crate::support::{required, unique};

/// Each waits up to a few windows, so there are not many.
const CASES: u32 = 60;

/// One request: of a buyer, after a pause.
#[derive(Clone, Debug)]
struct Step {
    buyer: u8,
    pause_us: u64,
}

/// Two rules on each request, one by buyer and one over all, and what is asked of them.
#[derive(Clone, Debug)]
struct Case {
    mine: (LimitAlgorithm, u32, u64),
    all: (LimitAlgorithm, u32, u64),
    steps: Vec<Step>,
}

fn a_case() -> impl Strategy<Value = Case> {
    let algorithm = prop_oneof![Just(WINDOW), Just(GCRA)];
    let rule = move |limits| (algorithm.clone(), limits, 3_000..30_000_u64);
    // Most come at once; some wait a part of a window, some a whole one.
    let pause = prop_oneof![6 => Just(0), 2 => 100..4_000_u64, 1 => 4_000..30_000_u64];
    let step = (0..3_u8, pause).prop_map(|(buyer, pause_us)| Step { buyer, pause_us });
    (rule(1..6_u32), rule(3..12_u32), vec(step, 1..60)).prop_map(|(mine, all, steps)| Case { mine, all, steps })
}

/// The whole history of one subject: the times of what was counted.
#[derive(Default)]
struct History(Vec<u64>);

impl History {
    /// Microseconds until one more fits, found by trying: the definition and nothing clever.
    fn wait(&self, rule: &SharedLimit, now: u64) -> u64 {
        let window = rule.window_us();
        match rule.algorithm {
            LimitAlgorithm::SlidingWindow => {
                let inside = |at: u64| self.0.iter().filter(|time| **time + window > at).count();
                let ends = self.0.iter().map(|time| time + window).filter(|end| *end > now);
                let mut moments: Vec<u64> = std::iter::once(now).chain(ends).collect();
                moments.sort_unstable();
                let fits = moments.into_iter().find(|at| inside(*at) < rule.limit as usize);
                fits.unwrap_or(now) - now
            }
            LimitAlgorithm::Gcra => {
                // A bucket that leaks one request each spacing.
                let spacing = window.div_ceil(u64::from(rule.limit));
                let whole_at = self.0.iter().fold(0, |whole_at: u64, time| whole_at.max(*time) + spacing);
                (whole_at.max(now) + spacing).saturating_sub(now + spacing * u64::from(rule.limit))
            }
        }
    }

    /// The promise itself, over all that was counted.
    fn holds(&self, rule: &SharedLimit) -> bool {
        rule.algorithm != LimitAlgorithm::SlidingWindow
            || self.0.windows(rule.limit as usize + 1).all(|some| some[some.len() - 1] - some[0] >= rule.window_us())
    }
}

async fn follow(limits: &dyn SharedLimits, case: &Case, name: &str, seen: &mut [u32; 2]) -> Result<(), TestCaseError> {
    let mut model: HashMap<String, History> = HashMap::new();
    for step in &case.steps {
        if step.pause_us > 0 {
            tokio::time::sleep(Duration::from_micros(step.pause_us)).await;
        }
        let rule = |key: String, (algorithm, number, us)| limit(&key, algorithm, number, Duration::from_micros(us));
        let rules = [rule(format!("{name}:{}", step.buyer), case.mine), rule(format!("{name}:all"), case.all)];
        let Spent { at_us, waits } = limits.spend(&rules).await.unwrap();
        let history = |rule: &SharedLimit| model.get(&rule.key).map_or(0, |history| history.wait(rule, at_us));
        let expected: Vec<u64> = rules.iter().map(history).collect();
        let waits: Vec<u64> = waits.iter().map(|wait| wait.as_micros() as u64).collect();
        prop_assert_eq!(&waits, &expected, "waits (left) and the model's, at {} for {:?}", at_us, step);
        let allowed = waits.iter().all(|wait| *wait == 0);
        seen[usize::from(allowed)] += 1;
        for rule in rules.iter().filter(|_| allowed) {
            let history = model.entry(rule.key.clone()).or_default();
            history.0.push(at_us);
            prop_assert!(history.holds(rule), "more than {} within {:?}", rule.limit, rule.window);
        }
    }
    Ok(())
}

fn check(limits: Arc<dyn SharedLimits>, runtime: &tokio::runtime::Runtime) {
    let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 50, ..Config::default() };
    let (mut runs, mut seen) = (0, [0; 2]);
    let (runs, seen_now) = (std::cell::RefCell::new(&mut runs), std::cell::RefCell::new(&mut seen));
    let outcome = TestRunner::new(config).run(&a_case(), |case| {
        **runs.borrow_mut() += 1;
        let name = format!("case{}", runs.borrow());
        runtime.block_on(follow(limits.as_ref(), &case, &name, &mut seen_now.borrow_mut()))
    });
    outcome.unwrap();
    println!("refused {} allowed {}", seen[0], seen[1]);
    assert!(seen.iter().all(|often| *often > 100), "too rare to show anything: {seen:?}");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn the_script_lets_exactly_the_limit_through() {
    let runtime = runtime();
    let limits = runtime.block_on(redis_limits(required("REDIS_URL"), unique("limits")));
    check(limits, &runtime);
}

#[test]
fn limits_in_memory_let_exactly_the_limit_through() {
    check(Arc::new(EmbeddedLimits::new(Arc::new(SystemClock))), &runtime());
}
