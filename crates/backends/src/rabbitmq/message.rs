//! Messages as RabbitMQ carries them: properties and headers around a body that is not looked into.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::JobId;
use domain::ports::{DeadLetter, OutboxRow};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use uuid::Uuid;

use super::topology::Topology;

/// A group of reservations.
const RESERVATIONS: &str = "application/vnd.seckill.reservations";

/// Header with the ids of the jobs in the body, joined by commas.
const JOBS: &str = "jobs";

/// Header of a dead letter: why it is one.
const WHY: &str = "why";

/// An explanation is cut here: it is read by people, and headers have to fit into one frame.
const WHY_MAX: usize = 1_000;

/// AMQP's mark of a message that is written to disk.
const PERSISTENT: u8 = 2;

/// A message ready to be published.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) exchange: String,
    pub(super) key: String,
    /// Is it an error when no queue takes it?
    pub(super) mandatory: bool,
    pub(super) message_id: String,
    pub(super) properties: BasicProperties,
    pub(super) body: Vec<u8>,
}

impl Outgoing {
    fn new(exchange: String, key: String, mandatory: bool, message_id: String, body: Vec<u8>) -> Self {
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_timestamp(now_s)
            .with_message_id(short(&message_id));
        Self { exchange, key, mandatory, message_id, properties, body }
    }

    /// A new group for a lane.
    pub(super) fn group(topology: &Topology, shard: domain::Shard, jobs: &[JobId], body: Vec<u8>) -> Self {
        Self::reservations(topology, shard, jobs, Uuid::now_v7().to_string(), body)
    }

    /// A group that keeps its message id.
    pub(super) fn reservations(
        topology: &Topology,
        shard: domain::Shard,
        jobs: &[JobId],
        message_id: String,
        body: Vec<u8>,
    ) -> Self {
        let message = Self::new(topology.orders(), shard.get().to_string(), true, message_id, body);
        message.with_headers(jobs, None)
    }

    /// A copy for the dead letters.
    pub(super) fn dead(topology: &Topology, message_id: &str, jobs: &[JobId], body: Vec<u8>, why: &str) -> Self {
        let message = Self::new(topology.dead(), String::new(), true, message_id.into(), body);
        message.with_headers(jobs, Some(why))
    }

    /// An event; nobody has to listen.
    pub(super) fn event(topology: &Topology, row: &OutboxRow) -> Self {
        let (key, body) = (Topology::events_key(&row.sale), row.body.clone().into_bytes());
        let mut message = Self::new(topology.events(), key, false, row.id.to_string(), body);
        message.properties = message.properties.with_content_type("application/json".into());
        message
    }

    /// Reaches no queue and is confirmed all the same: shows that the broker takes messages.
    pub(super) fn probe(topology: &Topology) -> Self {
        let mut message = Self::new(topology.orders(), "probe".into(), false, "probe".into(), Vec::new());
        message.properties = BasicProperties::default();
        message
    }

    fn with_headers(mut self, jobs: &[JobId], why: Option<&str>) -> Self {
        let mut headers = FieldTable::default();
        let jobs: Vec<String> = jobs.iter().map(JobId::to_string).collect();
        headers.insert(JOBS.into(), AMQPValue::LongString(jobs.join(",").into()));
        if let Some(why) = why {
            let why: String = why.chars().take(WHY_MAX).collect();
            headers.insert(WHY.into(), AMQPValue::LongString(why.into()));
        }
        self.properties = self.properties.with_content_type(RESERVATIONS.into()).with_headers(headers);
        self
    }
}

/// The message id, or nothing.
pub(super) fn message_id(properties: &BasicProperties) -> String {
    properties.message_id().as_ref().map(ShortString::to_string).unwrap_or_default()
}

/// The jobs in the header; what is not a job id is left out.
pub(super) fn jobs(properties: &BasicProperties) -> Vec<JobId> {
    header(properties, JOBS).split(',').filter_map(|id| id.parse().ok()).collect()
}

/// A dead letter as operators see it.
pub(super) fn dead_letter(properties: &BasicProperties, body: Vec<u8>) -> DeadLetter {
    let mut jobs = jobs(properties);
    if jobs.is_empty() {
        // Written by someone else: the body is all there is.
        jobs = domain::decode_group(&body).unwrap_or_default().iter().map(|one| one.job).collect();
    }
    DeadLetter { message_id: message_id(properties), why: header(properties, WHY), jobs, body }
}

fn header(properties: &BasicProperties, name: &str) -> String {
    let value = properties.headers().as_ref().and_then(|headers| headers.inner().get(name));
    match value {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        Some(AMQPValue::ShortString(text)) => text.to_string(),
        _ => String::new(),
    }
}

/// A foreign message may have any id; one that does not fit is left out rather than trusted.
fn short(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap_or_else(|_| ShortString::from(""))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use domain::{Route, SaleNumber, Shard};

    fn job(n: u8) -> JobId {
        let route = Route { sale: SaleNumber::new(1).unwrap(), shard: Shard::default() };
        JobId::new(1_795_000_000_000, route, [n; 6])
    }

    #[test]
    fn a_dead_letter_keeps_its_jobs_its_reason_and_its_body() {
        let topology = Topology::new("n", 1);
        let sent = Outgoing::dead(&topology, "m1", &[job(1), job(2)], b"?".to_vec(), "corrupt");
        let read = dead_letter(&sent.properties, sent.body);
        assert_eq!((read.message_id.as_str(), read.why.as_str()), ("m1", "corrupt"));
        assert_eq!((read.jobs, read.body), (vec![job(1), job(2)], b"?".to_vec()));
    }

    #[test]
    fn headers_of_strangers_are_read_with_care() {
        let mut headers = FieldTable::default();
        headers.insert(JOBS.into(), AMQPValue::LongString(format!("x,,{},{}", job(3), "y".repeat(99)).into()));
        let properties = BasicProperties::default().with_headers(headers);
        assert_eq!(jobs(&properties), [job(3)]);
        assert_eq!(message_id(&properties), "");
        assert!(jobs(&BasicProperties::default()).is_empty());
    }
}
