//! Keeps the publishing connection: connects, declares the topology, replaces what breaks, and opens or shuts the gate.
//! Goes on for ever, until it is told to stop.
//!
//! A probe that is published every quarter of a second shows what no event does: a broker that is stopped, a network
//! that swallows packets, and a memory or disk alarm, of which the broker tells only connections that publish.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Outage;
use futures_util::StreamExt as _;
use lapin::{Connection, Event};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::confirms::{ConfirmChannel, Pending};
use super::dial::{Dialer, backoff};
use super::gate::BrokerGate;
use super::message::Outgoing;
use super::settings::RabbitSettings;
use super::topology::Topology;

/// The gate follows the truth within a second: a probe leaves after this time …
const PROBE_EVERY: Duration = Duration::from_millis(250);

/// … and the gate shuts when its confirm takes longer than this.
const PROBE_PATIENCE: Duration = Duration::from_millis(650);

/// How often the state is looked at when nothing has been reported.
const TICK: Duration = Duration::from_millis(50);

/// What the publishing side shares.
pub(super) struct Link {
    pub(super) settings: RabbitSettings,
    pub(super) topology: Topology,
    pub(super) gate: BrokerGate,
    /// For reservations only.
    pub(super) orders: ConfirmChannel,
    /// For events, dead letters and replays, so that none of them stands in the way of a purchase.
    pub(super) side: ConfirmChannel,
    trouble: Arc<Notify>,
}

impl Link {
    pub(super) fn new(settings: RabbitSettings, lanes: u8) -> Self {
        let trouble = Arc::new(Notify::new());
        Self {
            topology: Topology::new(&settings.namespace, lanes),
            gate: BrokerGate::new(),
            orders: ConfirmChannel::new(settings.publish_in_flight, Arc::clone(&trouble)),
            side: ConfirmChannel::new(settings.publish_in_flight, Arc::clone(&trouble)),
            trouble,
            settings,
        }
    }

    /// When a publish that begins now has taken too long.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.settings.confirm_timeout()
    }

    /// Runs until `stop`.
    pub(super) async fn supervise(self: Arc<Self>, mut dialer: Dialer, stop: CancellationToken) {
        let mut failures = 0;
        loop {
            let ended = tokio::select! {
                () = stop.cancelled() => None,
                ended = self.session(&mut dialer, &mut failures) => Some(ended),
            };
            match &ended {
                Some(why) => self.gate.shut(why),
                None => self.gate.retire(),
            }
            self.orders.abandon();
            self.side.abandon();
            let Some(why) = ended else { return };
            let wait = backoff(failures);
            warn!(why, failures, wait_ms = wait.as_millis() as u64, "no connection to the broker; trying again");
            failures = failures.saturating_add(1);
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(wait) => {}
            }
        }
    }

    /// One connection, from dialling to its end; answers why it ended.
    async fn session(&self, dialer: &mut Dialer, failures: &mut u32) -> String {
        let connection = match dialer.dial().await {
            Ok(connection) => connection,
            Err(error) => return error,
        };
        let mut events = Box::pin(connection.events_listener());
        if let Err(error) = self.topology.declare(&connection, self.settings.connect_timeout()).await {
            return error;
        }
        info!("connected to the broker");
        let mut probe = Probe::due();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if !connection.status().connected() {
                return "the connection was lost".into();
            }
            if connection.status().blocked() {
                self.gate.shut("the broker is short of memory or disk");
                probe = Probe::due();
            } else {
                match self.repair(&connection).await {
                    Ok(false) => {}
                    Ok(true) => probe = Probe::due(),
                    Err(error) => return error,
                }
                if let Some(late) = self.judge(&mut probe) {
                    return late;
                }
            }
            tokio::select! {
                event = events.next() => match event {
                    Some(Event::ConnectionBlocked(reason)) => warn!(reason, "the broker blocks publishers"),
                    Some(Event::ConnectionUnblocked) => info!("the broker no longer blocks publishers"),
                    Some(_) => {}
                    None => return "the connection was lost".into(),
                },
                () = self.trouble.notified() => {}
                outcome = probe.outcome() => {
                    probe = Probe::Rest(Instant::now() + PROBE_EVERY);
                    if outcome.is_ok() && !connection.status().blocked() {
                        *failures = 0;
                        self.gate.open();
                    }
                }
                _ = tick.tick() => {}
            }
        }
    }

    /// Replaces channels that are no longer usable. Did it have to?
    async fn repair(&self, connection: &Connection) -> Result<bool, String> {
        let (patience, grace) = (self.settings.connect_timeout(), self.settings.confirm_timeout());
        let mut repaired = false;
        for (channel, takes_orders) in [(&self.orders, true), (&self.side, false)] {
            if channel.usable().is_some() {
                continue;
            }
            if takes_orders {
                self.gate.shut("the channel is being rebuilt");
            }
            if channel.unroutable() {
                self.topology.declare(connection, patience).await?;
            }
            channel.renew(connection, patience, grace).await?;
            repaired = true;
        }
        Ok(repaired)
    }

    /// Sends the next probe when it is time, shuts the gate when one is late, and gives the connection up (answering
    /// why) when it is very late.
    fn judge(&self, probe: &mut Probe) -> Option<String> {
        match probe {
            Probe::Rest(until) if Instant::now() < *until => {}
            Probe::Rest(_) => {
                if let Some(live) = self.orders.usable() {
                    *probe = Probe::Sent(Instant::now(), live.send(Outgoing::probe(&self.topology), None));
                }
            }
            Probe::Sent(since, _) if since.elapsed() > self.settings.connect_timeout().max(PROBE_PATIENCE) => {
                return Some("the broker has stopped answering".into());
            }
            Probe::Sent(since, _) if since.elapsed() > PROBE_PATIENCE => self.gate.shut("the broker does not answer"),
            Probe::Sent(..) => {}
        }
        None
    }
}

enum Probe {
    Rest(Instant),
    Sent(Instant, Pending),
}

impl Probe {
    fn due() -> Self {
        Self::Rest(Instant::now())
    }

    /// The answer to a probe that is under way; never, for one that is not.
    async fn outcome(&mut self) -> Result<(), Outage> {
        match self {
            Self::Sent(_, pending) => pending.outcome().await,
            Self::Rest(_) => std::future::pending().await,
        }
    }
}
