//! How many requests are being answered, and the refusal of more: before anything is read of their bodies.
//!
//! A request counts from its head to its answer. Whoever only waits for the end of a job (`Prefer: wait`) has a limit of
//! its own and counts there; event streams likewise (`edge::STREAMS_MAX`). The probes and the pages cost nearly
//! nothing and are always answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::Refusal;
use metrics::{counter, gauge};

/// Requests that wait for the end of a job at once. Each looks at it a few times a second, like a stream.
const WAITS_MAX: usize = 2_000;

/// How old the gauge may be.
const SHOWN_EVERY: Duration = Duration::from_millis(250);

/// Why work was refused before it was done: the label of `seckill_shed_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shed {
    /// Too many requests are being answered.
    InFlight,
    /// Accepted orders wait too long for Postgres.
    Backlog,
    /// Too many purchases wait for the gate, or one waited too long.
    Waiting,
    /// Too many streams are open.
    Streams,
    /// Too many wait for the end of a job; they are answered at once instead.
    Waits,
    /// A body did not arrive in time.
    BodyTimeout,
    /// A body is too large.
    TooLarge,
    /// As many orders are under way as may be (`concurrency`, all together).
    Global,
    /// As many orders of one sales channel are under way as may be.
    Channel,
    /// A shared rule about a sale or a channel, which is everybody's.
    Group,
    /// The broker takes no orders.
    BrokerAway,
    /// As many of an operator's tasks are under way as may be.
    Tasks,
}

impl Shed {
    /// All of them, for the recorder: seen from the start, so that the first one shows as an increase.
    pub const ALL: [Self; 12] = [
        Self::InFlight,
        Self::Backlog,
        Self::Waiting,
        Self::Streams,
        Self::Waits,
        Self::BodyTimeout,
        Self::TooLarge,
        Self::Global,
        Self::Channel,
        Self::Group,
        Self::BrokerAway,
        Self::Tasks,
    ];

    /// As the label has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InFlight => "in-flight",
            Self::Backlog => "backlog",
            Self::Waiting => "waiting",
            Self::Streams => "streams",
            Self::Waits => "waits",
            Self::BodyTimeout => "body-timeout",
            Self::TooLarge => "too-large",
            Self::Global => "global",
            Self::Channel => "channel",
            Self::Group => "group",
            Self::BrokerAway => "broker-away",
            Self::Tasks => "tasks",
        }
    }

    /// What the gate's refusal sheds, if it is for us and not about this buyer.
    pub fn of_refusal(refusal: &Refusal) -> Option<Self> {
        match refusal {
            Refusal::Backlog => Some(Self::Backlog),
            Refusal::BrokerAway => Some(Self::BrokerAway),
            Refusal::AllBusy => Some(Self::Global),
            Refusal::ChannelBusy => Some(Self::Channel),
            _ => None,
        }
    }

    /// One more.
    pub fn count(self) {
        counter!("seckill_shed_total", "reason" => self.as_str()).increment(1);
    }
}

/// What the buyers' port has in hand.
pub struct Load {
    /// 0: any number.
    max: usize,
    answering: AtomicUsize,
    waiting: AtomicUsize,
}

impl Load {
    /// For at most `max` requests at once; 0 means any number.
    pub fn new(max: usize) -> Arc<Self> {
        for reason in Shed::ALL {
            counter!("seckill_shed_total", "reason" => reason.as_str()).increment(0);
        }
        Arc::new(Self { max, answering: AtomicUsize::new(0), waiting: AtomicUsize::new(0) })
    }

    /// One more request; `None` when there are too many.
    pub fn answer(self: &Arc<Self>) -> Option<Answering> {
        let before = self.answering.fetch_add(1, Ordering::Relaxed);
        let answering = Answering(self.clone());
        (self.max == 0 || before < self.max).then_some(answering)
    }

    /// A request begins to wait for the end of a job, and is one of those that wait instead of those that are answered.
    /// `None` when too many wait.
    pub fn wait(&self) -> Option<Waiting<'_>> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.answering.fetch_sub(1, Ordering::Relaxed);
        let waiting = Waiting(self);
        if self.waiting.load(Ordering::Relaxed) > WAITS_MAX {
            Shed::Waits.count();
            return None;
        }
        Some(waiting)
    }

    /// Keeps the gauges, for ever.
    pub async fn show(&self) {
        let mut ticks = tokio::time::interval(SHOWN_EVERY);
        loop {
            ticks.tick().await;
            gauge!("seckill_http_in_flight").set(self.answering.load(Ordering::Relaxed) as f64);
            gauge!("seckill_http_waits").set(self.waiting.load(Ordering::Relaxed) as f64);
        }
    }
}

/// Counts until it is dropped, also when the client goes away in the middle.
pub struct Answering(Arc<Load>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts until it is dropped, likewise; its request is then one of those that are answered again.
pub struct Waiting<'a>(&'a Load);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.answering.fetch_add(1, Ordering::Relaxed);
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(load: &Load) -> (usize, usize) {
        (load.answering.load(Ordering::Relaxed), load.waiting.load(Ordering::Relaxed))
    }

    #[test]
    fn what_is_about_this_buyer_is_not_shed() {
        assert_eq!(Shed::of_refusal(&Refusal::AllBusy), Some(Shed::Global));
        for own in [Refusal::BuyerBusy { max: 1 }, Refusal::SoldOut, Refusal::Paused, Refusal::NotReady] {
            assert_eq!(Shed::of_refusal(&own), None, "{own:?}");
        }
    }

    #[test]
    fn at_most_so_many_are_answered_and_whoever_waits_is_not_one_of_them() {
        let load = Load::new(2);
        let first = load.answer().unwrap();
        let second = load.answer().unwrap();
        assert!(load.answer().is_none());
        assert_eq!(counts(&load), (2, 0), "a refused one does not count");
        let waiting = load.wait().unwrap();
        assert_eq!(counts(&load), (1, 1));
        let third = load.answer().unwrap();
        drop(waiting);
        assert_eq!(counts(&load), (3, 0));
        assert!(load.answer().is_none());
        // A client that goes away while it waits: whichever count ends first, nothing is left.
        let waiting = load.wait().unwrap();
        drop((first, second, third));
        drop(waiting);
        assert_eq!(counts(&load), (0, 0));
    }

    #[test]
    fn no_cap_is_no_cap_and_waits_have_one_of_their_own() {
        let load = Load::new(0);
        let answering: Vec<_> = (0..WAITS_MAX + 10).map(|_| load.answer().unwrap()).collect();
        let waiting: Vec<_> = (0..WAITS_MAX).map(|_| load.wait().unwrap()).collect();
        assert!(load.wait().is_none());
        assert_eq!(counts(&load), (10, WAITS_MAX));
        drop((answering, waiting));
        assert_eq!(counts(&load), (0, 0));
    }
}
