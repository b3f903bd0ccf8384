//! What the scripts' answers mean. `None` is an answer that no script of ours gives.

use domain::ports::{Condition, Held, Lease, Leased, RecordPage, Reserved, Withdrawn};
use domain::{Attempt, GateCounters, ItemCounters, JobId, JobRecord, Refusal, SaleState, Timestamp, Verdict, from_ms};

use super::record::unpack;

pub(super) fn verdicts(attempts: &[Attempt], answer: &[Vec<u8>]) -> Option<Vec<Verdict>> {
    let (now, pairs) = answer.split_first()?;
    let server_time = from_ms(number(now)?);
    if pairs.len() != 2 * attempts.len() {
        return None;
    }
    attempts
        .iter()
        .zip(pairs.chunks(2))
        .map(|(attempt, pair)| verdict(attempt, &pair[0], &pair[1], server_time))
        .collect()
}

fn verdict(attempt: &Attempt, word: &[u8], detail: &[u8], server_time: Timestamp) -> Option<Verdict> {
    let refusal = match word {
        b"admitted" => return unpack(attempt.job, detail).map(Verdict::Admitted),
        b"repeated" => return unpack(attempt.job, detail).map(Verdict::Repeated),
        b"not-ready" => Refusal::NotReady,
        b"token-expired" => Refusal::TokenExpired,
        b"not-open" => Refusal::NotOpen { opens_at: from_ms(number(detail)?), server_time },
        b"ended" => Refusal::Ended,
        b"paused" => Refusal::Paused,
        b"unknown-item" => Refusal::UnknownItem,
        b"above-limit" => Refusal::QuantityAboveLimit { limit: number(detail)? },
        b"broker-away" => Refusal::BrokerAway,
        b"backlog" => Refusal::Backlog,
        b"sold-out" => Refusal::SoldOut,
        b"busy-global" => Refusal::AllBusy,
        b"busy-platform" => Refusal::ChannelBusy,
        b"busy-account" => Refusal::BuyerBusy { max: number(detail)? },
        b"limit-reached" => {
            let space = detail.iter().position(|byte| *byte == b' ')?;
            let job = JobId::from_bytes(&detail[space + 1..]).ok()?;
            Refusal::LimitReached { limit: number(&detail[..space])?, job }
        }
        _ => return None,
    };
    Some(Verdict::Refused(refusal))
}

pub(super) fn condition(answer: &[String]) -> Option<Condition> {
    match answer.first()?.as_str() {
        "missing" => Some(Condition::Missing),
        "stale" => {
            let loading = answer.get(2)?;
            let loading_for_ms = if loading.is_empty() { None } else { Some(loading.parse().ok()?) };
            Some(Condition::Stale { epoch: answer.get(1)?.parse().ok()?, loading_for_ms })
        }
        "ready" => {
            let (head, counters) = answer.split_at_checked(11)?;
            let reloaded_at = moment(&head[5])?;
            let numbers: Vec<i64> = counters.iter().map(|text| text.parse().ok()).collect::<Option<_>>()?;
            let items = numbers
                .chunks_exact(4)
                .map(|item| ItemCounters { free: item[0], unpublished: item[1], queued: item[2], version: item[3] })
                .collect();
            let counters = GateCounters {
                now: from_ms(head[3].parse().ok()?),
                epoch: head[1].parse().ok()?,
                opens_at: from_ms(head[6].parse().ok()?),
                closes_at: from_ms(head[7].parse().ok()?),
                limit_per_buyer: head[8].parse().ok()?,
                waiting_jobs: head[4].parse().ok()?,
                waiting_ms: head[9].parse().ok()?,
                oldest_ms: head[10].parse().ok()?,
                reloaded_at,
                items,
            };
            Some(Condition::Ready(counters, SaleState::from_word(&head[2])?))
        }
        _ => None,
    }
}

pub(super) fn leased(answer: &[String]) -> Option<Leased> {
    match answer.first()?.as_str() {
        "leased" => Some(Leased::Granted(Lease {
            epoch: answer.get(1)?.parse().ok()?,
            jobs: answer.get(2)?.parse().ok()?,
            reloaded_at: moment(answer.get(3)?)?,
            closes_at: from_ms(answer.get(4)?.parse().ok()?),
            limit_per_buyer: answer.get(5)?.parse().ok()?,
        })),
        "refused" => Some(Leased::Refused),
        "not-ready" => Some(Leased::NotReady),
        _ => None,
    }
}

/// Milliseconds, or nothing.
fn moment(text: &str) -> Option<Option<Timestamp>> {
    if text.is_empty() { Some(None) } else { Some(Some(from_ms(text.parse().ok()?))) }
}

pub(super) fn held(answer: i64) -> Option<Held> {
    match answer {
        -1 => Some(Held::NotReady),
        applied => usize::try_from(applied).ok().map(Held::Applied),
    }
}

pub(super) fn reserved(word: &str) -> Option<Reserved> {
    match word {
        "reserved" => Some(Reserved::Reserved),
        "refused" => Some(Reserved::Refused),
        "stale" => Some(Reserved::Stale),
        "not-ready" => Some(Reserved::NotReady),
        _ => None,
    }
}

pub(super) fn withdrawn(answer: &[String]) -> Option<Withdrawn> {
    match answer.first()?.as_str() {
        "taken" => Some(Withdrawn::Taken),
        "too-many" => Some(Withdrawn::TooMany { free: answer.get(1)?.parse().ok()? }),
        "ended" => Some(Withdrawn::Ended),
        "stale" => Some(Withdrawn::Stale),
        "not-ready" => Some(Withdrawn::NotReady),
        _ => None,
    }
}

/// `Some(None)`: the gate is not ready.
pub(super) fn page(answer: &[Vec<u8>]) -> Option<Option<RecordPage>> {
    match answer.first()?.as_slice() {
        b"not-ready" => Some(None),
        b"page" => {
            let next: u64 = number(answer.get(1)?)?;
            let record = |pair: &[Vec<u8>]| unpack(JobId::from_bytes(&pair[0]).ok()?, pair.get(1)?);
            let records: Option<Vec<JobRecord>> = answer[2..].chunks(2).map(record).collect();
            Some(Some(RecordPage { records: records?, next: (next != 0).then_some(next) }))
        }
        _ => None,
    }
}

fn number<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}
