//! The bytes that the scripts keep and answer with; the layout is described in `lua/records.lua`.

use domain::{BuyerId, Hold, ItemIndex, JobId, JobRecord, JobState, Outcome, RefusedReason, from_ms};

const LAYOUT_BYTES: usize = 23;
/// The item of a job that is known only by its id.
pub(super) const NO_ITEM: u8 = 255;

/// A record as the scripts pack it; `None` when it is not one.
pub(super) fn unpack(job: JobId, bytes: &[u8]) -> Option<JobRecord> {
    let (fixed, buyer) = bytes.split_at_checked(LAYOUT_BYTES)?;
    let number = |from: usize, to: usize| fixed[from..to].iter().fold(0_i64, |sum, byte| (sum << 8) | i64::from(*byte));
    let state = match fixed[0] {
        b'U' => JobState::Unpublished,
        b'Q' => JobState::Queued,
        b'P' => JobState::Placed,
        b'L' => JobState::ReservedAgain,
        b'R' => JobState::Refused(reason(fixed[10])?),
        _ => return None,
    };
    let buyer = std::str::from_utf8(buyer).ok()?;
    Some(JobRecord {
        job,
        buyer: if buyer.is_empty() { None } else { Some(buyer.parse::<BuyerId>().ok()?) },
        item: (fixed[9] != NO_ITEM).then(|| ItemIndex::new(fixed[9])),
        quantity: u16::from_be_bytes([fixed[5], fixed[6]]),
        units: u16::from_be_bytes([fixed[7], fixed[8]]),
        rev: u32::from_be_bytes([fixed[1], fixed[2], fixed[3], fixed[4]]),
        state,
        admitted_at: from_ms(number(11, 17)),
        updated_at: from_ms(number(17, 23)),
    })
}

/// The record that an effect makes of a job that is not known, in two parts: the fixed one and the buyer.
pub(super) fn effect(hold: &Hold) -> ([u8; LAYOUT_BYTES], &[u8]) {
    let (state, reason) = codes(hold.outcome);
    let at = hold.at.timestamp_millis().to_be_bytes();
    let mut fixed = [0; LAYOUT_BYTES];
    fixed[0] = state;
    fixed[1..5].copy_from_slice(&hold.rev.to_be_bytes());
    fixed[5..7].copy_from_slice(&hold.quantity.to_be_bytes());
    fixed[7..9].copy_from_slice(&hold.units.to_be_bytes());
    fixed[9] = hold.item.map_or(NO_ITEM, ItemIndex::get);
    fixed[10] = reason;
    fixed[11..17].copy_from_slice(&at[2..]);
    fixed[17..23].copy_from_slice(&at[2..]);
    (fixed, hold.buyer.as_ref().map_or(b"", |buyer| buyer.as_str().as_bytes()))
}

/// State and reason code of an outcome.
fn codes(outcome: Outcome) -> (u8, u8) {
    match outcome {
        Outcome::Placed => (b'P', 0),
        Outcome::Refused(why) => {
            let code = RefusedReason::ALL.iter().position(|reason| *reason == why).unwrap_or_default();
            (b'R', code as u8 + 1)
        }
    }
}

fn reason(code: u8) -> Option<RefusedReason> {
    RefusedReason::ALL.get(usize::from(code).checked_sub(1)?).copied()
}
