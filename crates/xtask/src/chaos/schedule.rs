//! What is broken when: made from a seed alone, so that the seed repeats it.

use std::time::Duration;

use super::random::Random;

/// Who is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One of the gateways; the number is taken modulo how many there are.
    Gateway(u64),
    /// One of the consumers, likewise.
    Consumer(u64),
    Redis,
    RabbitMq,
    Postgres,
    /// All processes and all servers at once.
    Everything,
}

/// What is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// SIGKILL, to the process and everything it started.
    Kill,
    /// SIGTERM.
    Terminate,
    /// SIGSTOP, later SIGCONT.
    Freeze,
    /// Every connection to it is reset, and no new one is let through.
    Cut,
    /// What is sent arrives, what it answers is lost: a half-open connection.
    Mute,
    /// Each piece of its answers is up to so many milliseconds late.
    Slow(u64),
    /// So many bytes a second, each way of each connection.
    Narrow(u64),
    /// `FLUSHALL`.
    Flush,
    /// `SCRIPT FLUSH`.
    ForgetScripts,
    /// Its memory alarm is raised.
    Alarm,
    /// The work queue is deleted.
    DeleteQueue,
    /// It closes every connection.
    Disconnect,
    /// `lock table orders`.
    Lock,
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blow {
    /// After the first purchase.
    pub at: Duration,
    pub target: Target,
    pub force: Force,
    /// Until it is healed; zero where there is nothing to heal.
    pub lasts: Duration,
}

impl Blow {
    /// Afterwards Redis may have forgotten something that it had said.
    pub fn loses_data(&self) -> bool {
        match (self.target, self.force) {
            (Target::Redis, force) => matches!(force, Force::Kill | Force::Flush),
            (target, _) => target == Target::Everything,
        }
    }
}

/// A kind of blow: by what name it is chosen, and how long it lasts at least and at most, in milliseconds.
pub struct Kind {
    pub name: &'static str,
    target: fn(&mut Random) -> Target,
    force: fn(&mut Random) -> Force,
    lasts_ms: (u64, u64),
}

macro_rules! kinds {
    ($($name:literal $target:expr, $force:expr, $least:literal to $most:literal;)*) => {
        /// Every kind of blow there is.
        pub const KINDS: &[Kind] = &[
            $(Kind { name: $name, target: $target, force: $force, lasts_ms: ($least, $most) }),*
        ];
    };
}

kinds! {
    "kill-gateway"        |random| Target::Gateway(random.below(8)), |_| Force::Kill, 0 to 0;
    "kill-consumer"       |random| Target::Consumer(random.below(8)), |_| Force::Kill, 0 to 0;
    "terminate-gateway"   |random| Target::Gateway(random.below(8)), |_| Force::Terminate, 0 to 0;
    "terminate-consumer"  |random| Target::Consumer(random.below(8)), |_| Force::Terminate, 0 to 0;
    "freeze-gateway"      |random| Target::Gateway(random.below(8)), |_| Force::Freeze, 500 to 12_000;
    "freeze-consumer"     |random| Target::Consumer(random.below(8)), |_| Force::Freeze, 500 to 12_000;
    "kill-redis"          |_| Target::Redis, |_| Force::Kill, 0 to 0;
    "kill-rabbitmq"       |_| Target::RabbitMq, |_| Force::Kill, 0 to 0;
    "kill-postgres"       |_| Target::Postgres, |_| Force::Kill, 0 to 0;
    "freeze-redis"        |_| Target::Redis, |_| Force::Freeze, 500 to 6_000;
    "freeze-rabbitmq"     |_| Target::RabbitMq, |_| Force::Freeze, 500 to 10_000;
    "freeze-postgres"     |_| Target::Postgres, |_| Force::Freeze, 500 to 8_000;
    "cut-redis"           |_| Target::Redis, |_| Force::Cut, 200 to 5_000;
    "cut-rabbitmq"        |_| Target::RabbitMq, |_| Force::Cut, 200 to 5_000;
    "cut-postgres"        |_| Target::Postgres, |_| Force::Cut, 200 to 5_000;
    "mute-redis"          |_| Target::Redis, |_| Force::Mute, 500 to 8_000;
    "mute-rabbitmq"       |_| Target::RabbitMq, |_| Force::Mute, 500 to 8_000;
    "mute-postgres"       |_| Target::Postgres, |_| Force::Mute, 500 to 8_000;
    "slow-redis"          |_| Target::Redis, |random| Force::Slow(random.between(20, 250)), 2_000 to 8_000;
    "slow-rabbitmq"       |_| Target::RabbitMq, |random| Force::Slow(random.between(50, 500)), 2_000 to 8_000;
    "slow-postgres"       |_| Target::Postgres, |random| Force::Slow(random.between(50, 500)), 2_000 to 8_000;
    "narrow-rabbitmq"     |_| Target::RabbitMq, |random| Force::Narrow(random.between(5_000, 50_000)), 3_000 to 8_000;
    "flush-redis"         |_| Target::Redis, |_| Force::Flush, 0 to 0;
    "forget-scripts"      |_| Target::Redis, |_| Force::ForgetScripts, 0 to 0;
    "disconnect-redis"    |_| Target::Redis, |_| Force::Disconnect, 0 to 0;
    "alarm-rabbitmq"      |_| Target::RabbitMq, |_| Force::Alarm, 2_000 to 10_000;
    "delete-queue"        |_| Target::RabbitMq, |_| Force::DeleteQueue, 0 to 0;
    "disconnect-rabbitmq" |_| Target::RabbitMq, |_| Force::Disconnect, 0 to 0;
    "disconnect-postgres" |_| Target::Postgres, |_| Force::Disconnect, 0 to 0;
    "lock-postgres"       |_| Target::Postgres, |_| Force::Lock, 1_000 to 8_000;
    "kill-everything"     |_| Target::Everything, |_| Force::Kill, 0 to 0;
}

/// Between two blows, in milliseconds: some find the last one healed, some find it in full swing.
const GAP_MS: (u64, u64) = (1_000, 8_000);

/// The blows of a run of this length, in order, of these kinds (empty: of all). All kinds come before one comes again.
pub fn schedule(seed: u64, length: Duration, only: &[String]) -> Vec<Blow> {
    let mut random = Random::new(seed);
    let chosen: Vec<&Kind> =
        KINDS.iter().filter(|kind| only.is_empty() || only.iter().any(|name| name == kind.name)).collect();
    let (mut blows, mut deck, mut at) = (Vec::new(), Vec::new(), 0);
    loop {
        at += random.between(GAP_MS.0, GAP_MS.1);
        if deck.is_empty() {
            deck.clone_from(&chosen);
            random.shuffle(&mut deck);
        }
        let Some(kind) = deck.pop() else { return blows };
        let (target, force) = ((kind.target)(&mut random), (kind.force)(&mut random));
        let lasts = Duration::from_millis(random.between(kind.lasts_ms.0, kind.lasts_ms.1));
        if Duration::from_millis(at) + lasts >= length {
            return blows;
        }
        blows.push(Blow { at: Duration::from_millis(at), target, force, lasts });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_MINUTES: Duration = Duration::from_secs(600);

    #[test]
    fn a_seed_says_it_all() {
        let first = schedule(7, TEN_MINUTES, &[]);
        assert_eq!(first, schedule(7, TEN_MINUTES, &[]));
        assert_ne!(first, schedule(8, TEN_MINUTES, &[]));
        assert!(first.windows(2).all(|two| two[0].at < two[1].at));
        assert!(first.iter().all(|blow| blow.at + blow.lasts < TEN_MINUTES), "all is healed by the end");
    }

    #[test]
    fn ten_minutes_have_every_kind_of_blow() {
        for seed in 0..50 {
            let blows = schedule(seed, TEN_MINUTES, &[]);
            assert!(blows.len() > 2 * KINDS.len(), "{} blows", blows.len());
            let has = |wanted: fn(&Blow) -> bool| blows.iter().any(wanted);
            assert!(has(|blow| blow.target == Target::Everything) && has(|blow| blow.force == Force::Flush));
            assert!(has(|blow| matches!(blow.force, Force::Narrow(_))) && has(|blow| blow.force == Force::Alarm));
        }
    }

    #[test]
    fn kinds_can_be_chosen() {
        let blows = schedule(1, TEN_MINUTES, &["kill-consumer".to_owned()]);
        assert!(blows.iter().all(|blow| matches!(blow.target, Target::Consumer(_)) && blow.force == Force::Kill));
        assert!(!blows.iter().any(Blow::loses_data));
    }
}
