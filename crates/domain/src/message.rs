//! What travels on the queue: one message carries a group of reservations, and each settles on its own.
//!
//! The body is one schema byte followed by JSON, so that a reader can tell a version it does not know from a
//! corrupt body, and an operator can read a dead letter. Job ids are repeated in a message header by the broker
//! backend, so that even a corrupt body can be brought to an end.

use serde::{Deserialize, Serialize};

use crate::{BuyerId, ItemIndex, JobId, Quantity, Timestamp, from_ms};

/// Units held for one job, waiting to be placed. Sale and shard are in the job id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The job.
    pub job: JobId,
    /// Who buys.
    pub buyer: BuyerId,
    /// What.
    pub item: ItemIndex,
    /// How many.
    pub quantity: Quantity,
    /// When the gate admitted it, to the millisecond.
    pub admitted_at: Timestamp,
}

/// The version that is written. The version before it, once there is one, must still be read.
const SCHEMA: u8 = 1;

/// Why a message body is not a group of reservations.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// Nothing at all.
    #[error("the message is empty")]
    Empty,
    /// Written by a version that this one does not know.
    #[error("the message has schema {0}; this version reads schema {SCHEMA}")]
    UnknownSchema(u8),
    /// Not what the schema says.
    #[error("the message body is corrupt: {0}")]
    Corrupt(#[from] serde_json::Error),
    /// Zero, or more than any sale allows.
    #[error("the message asks for {units} units for job {job}")]
    Quantity {
        /// Which reservation.
        job: JobId,
        /// What it says.
        units: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    job: JobId,
    buyer: BuyerId,
    item: u8,
    quantity: u64,
    at_ms: i64,
}

/// The body of one message.
pub fn encode_group(group: &[Reservation]) -> Vec<u8> {
    let wire: Vec<Wire> = group
        .iter()
        .map(|one| Wire {
            job: one.job,
            buyer: one.buyer.clone(),
            item: one.item.get(),
            quantity: u64::from(one.quantity.get()),
            at_ms: one.admitted_at.timestamp_millis(),
        })
        .collect();
    let mut body = vec![SCHEMA];
    serde_json::to_writer(&mut body, &wire).expect("reservations are plain data and a Vec takes every byte");
    body
}

/// The reservations of one message body, all or none.
pub fn decode_group(body: &[u8]) -> Result<Vec<Reservation>, MessageError> {
    let (&schema, json) = body.split_first().ok_or(MessageError::Empty)?;
    if schema != SCHEMA {
        return Err(MessageError::UnknownSchema(schema));
    }
    let wire: Vec<Wire> = serde_json::from_slice(json)?;
    wire.into_iter()
        .map(|one| {
            let quantity = Quantity::try_from(one.quantity)
                .map_err(|_| MessageError::Quantity { job: one.job, units: one.quantity })?;
            Ok(Reservation {
                job: one.job,
                buyer: one.buyer,
                item: ItemIndex::new(one.item),
                quantity,
                admitted_at: from_ms(one.at_ms),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Route, SaleNumber, Shard};

    fn group() -> Vec<Reservation> {
        let route = Route { sale: SaleNumber::new(7).unwrap(), shard: Shard::default() };
        (0..3)
            .map(|n| Reservation {
                job: JobId::new(1_000 + n, route, [n as u8; 6]),
                buyer: format!("buyer-{n}").parse().unwrap(),
                item: ItemIndex::new(n as u8),
                quantity: Quantity::ONE,
                admitted_at: from_ms(1_795_000_000_000),
            })
            .collect()
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(decode_group(&encode_group(&group())).unwrap(), group());
    }

    #[test]
    fn every_truncation_and_every_flipped_bit_is_an_error_or_a_valid_group_and_never_a_panic() {
        let body = encode_group(&group());
        for cut in 0..body.len() {
            assert!(decode_group(&body[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..body.len() * 8 {
            let mut flipped = body.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            let _ = decode_group(&flipped);
        }
    }

    #[test]
    fn a_schema_of_the_future_and_an_impossible_quantity_are_named() {
        assert!(matches!(decode_group(&[9, b'[', b']']), Err(MessageError::UnknownSchema(9))));
        for units in ["0", "10001", "9223372036854775808", "1e3", "-1", "\"nan\"", "1.5"] {
            let json = String::from_utf8(encode_group(&group()))
                .unwrap()
                .replace("\"quantity\":1", &format!("\"quantity\":{units}"));
            assert!(decode_group(json.as_bytes()).is_err(), "{units}");
        }
    }
}
