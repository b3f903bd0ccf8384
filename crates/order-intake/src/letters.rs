//! What operators do about dead letters, and what a dead letter means, in words.

use control::Batch;
use domain::ports::{DeadLetter, DeadLetters, LetterFilter, OrderStore, Outage, Unplaced};
use domain::{MessageError, RefusedReason, decode_group};

/// Letters in one call; an operator with more repeats it.
pub const LETTERS_MAX: usize = 1_000;

/// Removes letters. Their jobs end first, piece by piece: whoever has no row gets one that says so, and only when all have
/// ended the letters go: a piece that cannot be ended ends it, and nothing is removed. Answers what was removed.
pub async fn discard(
    letters: &dyn DeadLetters,
    orders: &dyn OrderStore,
    chosen: &LetterFilter,
    batch: &Batch,
) -> Result<Vec<DeadLetter>, Outage> {
    let found = letters.list(chosen, LETTERS_MAX).await?;
    if found.is_empty() {
        return Ok(found);
    }
    let jobs: Vec<Unplaced> = found.iter().flat_map(jobs_of).collect();
    let refuse = |part: Vec<Unplaced>| async move { orders.refuse(&part, RefusedReason::Discarded).await.map(|_| ()) };
    batch.run_all(&jobs, refuse).await?;
    let message_ids = found.iter().map(|letter| letter.message_id.clone()).collect();
    letters.discard(&LetterFilter { message_ids, ..LetterFilter::default() }).await?;
    Ok(found)
}

/// Every job that a letter names, with what it asked for where that can be read.
fn jobs_of(letter: &DeadLetter) -> Vec<Unplaced> {
    match decode_group(&letter.body) {
        Ok(group) => group.into_iter().map(|one| Unplaced { job: one.job, reservation: Some(one) }).collect(),
        Err(_) => letter.jobs.iter().map(|job| Unplaced { job: *job, reservation: None }).collect(),
    }
}

/// What happened, what became of the jobs, and what to do.
pub fn explain(letter: &DeadLetter) -> String {
    let jobs = match letter.jobs.len() {
        0 => "It names no job, so nobody waits for it".to_owned(),
        1 => "Its job has ended as refused, if it had no order".to_owned(),
        many => format!("Those of its {many} jobs that had no order have ended as refused"),
    };
    let advice = match decode_group(&letter.body) {
        Ok(_) => {
            "It can be read: the database would not take it. A replay is harmless; jobs that have ended stay as they are. \
             When the reason is understood, discard it"
        }
        Err(MessageError::UnknownSchema(_)) => {
            "A newer version of this program wrote it: update the consumers first, then replay it for those of its jobs that \
             have not ended; else discard it"
        }
        Err(_) => "It cannot be read, and a replay would end here again. Discard it",
    };
    format!("{jobs}, and the units are for sale again. {advice}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_says_what_became_of_its_jobs_and_what_to_do() {
        let letter = |body: &[u8]| DeadLetter {
            message_id: "m".to_owned(),
            why: "w".to_owned(),
            jobs: Vec::new(),
            body: body.to_vec(),
        };
        assert!(explain(&letter(b"\x01[]")).contains("can be read"));
        assert!(explain(&letter(b"\x09[]")).contains("newer version"));
        assert!(explain(&letter(b"\x01nonsense")).contains("cannot be read"));
    }
}
