//! Publishes on one long-lived channel, many messages at once, each answered by its own confirm.
//!
//! The library's corners, and what is done about them:
//! - nothing has a deadline, and a confirm that is dropped is kept for ever: every confirm is awaited by a task of its
//!   own, the caller's patience ends on a oneshot, and a channel that was late once is replaced;
//! - a message takes its number before its frames are queued, so two threads could swap confirms: both happen under
//!   one lock;
//! - a returned message comes attached to any confirm: after a return, nothing on that channel counts as confirmed.
//!   A confirm that overtakes the return by an instant is still believed; whoever watches for jobs without an order
//!   publishes that one again.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use domain::ports::Outage;
use futures_util::FutureExt as _;
use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation, Connection, PublisherConfirm};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::dial::bounded;
use super::message::{self, Outgoing};

/// A place to publish that survives the channels it uses.
pub(super) struct ConfirmChannel {
    current: RwLock<Option<Arc<Live>>>,
    slots: Arc<Semaphore>,
    trouble: Arc<Notify>,
}

/// One channel in confirm mode.
pub(super) struct Live {
    channel: Channel,
    /// Held while a message takes its number and queues its frames.
    turn: Mutex<()>,
    retired: AtomicBool,
    unroutable: AtomicBool,
    /// Nobody waits for the remaining confirms any more.
    given_up: CancellationToken,
    trouble: Arc<Notify>,
}

/// A message on its way to its confirm.
pub(super) struct Pending {
    live: Arc<Live>,
    outcome: oneshot::Receiver<Result<(), Outage>>,
}

type Sending = Pin<Box<dyn Future<Output = lapin::Result<PublisherConfirm>> + Send>>;

impl ConfirmChannel {
    /// At most `in_flight` messages are unconfirmed at a time; `trouble` is notified when a channel has to be replaced.
    pub(super) fn new(in_flight: usize, trouble: Arc<Notify>) -> Self {
        Self { current: RwLock::new(None), slots: Arc::new(Semaphore::new(in_flight)), trouble }
    }

    /// The channel in use, unless it has to be replaced.
    pub(super) fn usable(&self) -> Option<Arc<Live>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        current.filter(|live| !live.retired.load(Ordering::Relaxed) && live.channel.status().connected())
    }

    /// Was a message returned on the channel in use?
    pub(super) fn unroutable(&self) -> bool {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().is_some_and(|live| live.unroutable.load(Ordering::Relaxed))
    }

    /// Puts a new channel in place. What is under way on the old one may still be confirmed within `grace`.
    pub(super) async fn renew(
        &self,
        connection: &Connection,
        patience: Duration,
        grace: Duration,
    ) -> Result<(), String> {
        let channel = bounded(patience, connection.create_channel()).await?;
        bounded(patience, channel.confirm_select(ConfirmSelectOptions::default())).await?;
        let live = Arc::new(Live {
            channel,
            turn: Mutex::new(()),
            retired: AtomicBool::new(false),
            unroutable: AtomicBool::new(false),
            given_up: CancellationToken::new(),
            trouble: Arc::clone(&self.trouble),
        });
        if let Some(old) = self.replace(Some(live)) {
            tokio::spawn(async move {
                sleep(grace).await;
                old.given_up.cancel();
            });
        }
        Ok(())
    }

    /// The connection is gone: nothing that is under way will be confirmed.
    pub(super) fn abandon(&self) {
        if let Some(old) = self.replace(None) {
            old.given_up.cancel();
        }
    }

    fn replace(&self, live: Option<Arc<Live>>) -> Option<Arc<Live>> {
        std::mem::replace(&mut *self.current.write().unwrap_or_else(PoisonError::into_inner), live)
    }

    /// Publishes and waits for the confirm.
    pub(super) async fn publish(&self, message: Outgoing, deadline: Instant) -> Result<(), Outage> {
        self.begin(message, deadline).await?.confirmed(deadline).await
    }

    /// Queues the message; messages leave in the order of these calls. Waits only while too many are unconfirmed.
    pub(super) async fn begin(&self, message: Outgoing, deadline: Instant) -> Result<Pending, Outage> {
        let slot = match timeout_at(deadline, Arc::clone(&self.slots).acquire_owned()).await {
            Ok(Ok(slot)) => slot,
            Ok(Err(_)) | Err(_) => return Err(Outage::NotSent("too many messages wait for their confirm".into())),
        };
        let live = self.usable().ok_or_else(|| Outage::NotSent("the channel is being rebuilt".into()))?;
        Ok(live.send(message, Some(slot)))
    }
}

impl Live {
    /// Queues the message now. The slot is given back with the confirm.
    pub(super) fn send(self: Arc<Self>, message: Outgoing, slot: Option<OwnedSemaphorePermit>) -> Pending {
        let Outgoing { exchange, key, mandatory, message_id, properties, body } = message;
        let channel = self.channel.clone();
        let mut sending: Sending = Box::pin(async move {
            let options = BasicPublishOptions { mandatory, immediate: false };
            channel.basic_publish(exchange.into(), key.into(), options, &body, properties).await
        });
        let queued = {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            (&mut sending).now_or_never()
        };
        metrics::gauge!("seckill_broker_unconfirmed").increment(1.0);
        let (answer, outcome) = oneshot::channel();
        let live = Arc::clone(&self);
        tokio::spawn(async move {
            let outcome = tokio::select! {
                biased;
                outcome = live.settle(queued, sending, &message_id) => outcome,
                () = live.given_up.cancelled() => Err(Outage::Unknown("the channel was lost before the confirm".into())),
            };
            metrics::gauge!("seckill_broker_unconfirmed").decrement(1.0);
            drop(slot);
            // The caller may have lost its patience.
            let _ = answer.send(outcome);
        });
        Pending { live: self, outcome }
    }

    async fn settle(
        &self,
        queued: Option<lapin::Result<PublisherConfirm>>,
        sending: Sending,
        message_id: &str,
    ) -> Result<(), Outage> {
        let sent = match queued {
            Some(sent) => sent,
            None => sending.await,
        };
        let confirm = sent.map_err(|error| self.unknown(&error))?;
        match confirm.await {
            Ok(Confirmation::Ack(None)) => {
                // Lets a return that was attached to another message of the same confirm be seen first.
                tokio::task::yield_now().await;
                if self.unroutable.load(Ordering::Relaxed) {
                    return Err(Outage::Unknown("a message of this channel had no queue".into()));
                }
                Ok(())
            }
            Ok(Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned))) => {
                self.alarm(&returned, message_id);
                Err(Outage::Unknown("a message of this channel had no queue".into()))
            }
            Ok(Confirmation::Nack(None)) => Err(Outage::Unknown("the broker could not keep the message".into())),
            Ok(Confirmation::NotRequested) => Err(Outage::Unknown("the channel is not in confirm mode".into())),
            Err(error) => Err(self.unknown(&error)),
        }
    }

    /// The frames may have been written before the channel broke.
    fn unknown(&self, error: &lapin::Error) -> Outage {
        self.retire();
        Outage::Unknown(error.to_string())
    }

    fn alarm(&self, returned: &BasicReturnMessage, carried_by: &str) {
        metrics::counter!("seckill_broker_returned_total").increment(1);
        self.unroutable.store(true, Ordering::Relaxed);
        error!(
            message.id = %message::message_id(&returned.delivery.properties),
            exchange = %returned.delivery.exchange,
            routing_key = %returned.delivery.routing_key,
            reply = %returned.reply_text,
            carried_by,
            "a message had no queue: the topology is damaged and is declared again"
        );
        self.retire();
    }

    /// Takes no more messages; asks to be replaced.
    fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
        self.trouble.notify_one();
    }
}

impl Pending {
    /// Waits for the confirm. After the deadline the outcome is unknown and the channel is replaced.
    pub(super) async fn confirmed(self, deadline: Instant) -> Result<(), Outage> {
        match timeout_at(deadline, self.outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Outage::Unknown("the process is shutting down".into())),
            Err(_) => {
                if !self.live.retired.load(Ordering::Relaxed) {
                    warn!("a confirm is late: the channel is replaced");
                    self.live.retire();
                }
                Err(Outage::Unknown("no confirm in time".into()))
            }
        }
    }

    /// Waits for the confirm as long as it takes.
    pub(super) async fn outcome(&mut self) -> Result<(), Outage> {
        (&mut self.outcome).await.unwrap_or_else(|_| Err(Outage::Unknown("the process is shutting down".into())))
    }
}
