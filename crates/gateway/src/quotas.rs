//! Quotas at the edge: requests of API clients, and purchases of buyers.

use domain::ports::JobLookup;
use domain::{Admissible, Attempt, QuotaKind, Refusal, SaleState, Timestamp};
use order_intake::Answer;

use crate::auth::Buyer;
use crate::catalog::Listed;
use crate::edge::Edge;
use crate::problem::Problem;

impl Edge {
    /// Counts a request against the quota of the API client that sent it. A login that names none is not counted.
    pub async fn count_request(&self, buyer: &Buyer) -> Result<(), Problem> {
        let Some(client) = &buyer.client else { return Ok(()) };
        if !self.quotas.counts(QuotaKind::Requests) {
            return Ok(());
        }
        Box::pin(self.within(self.quotas.request(client))).await.map_err(|refused| Problem::quota(&refused))
    }

    /// Decides a purchase, within the buyer's quota where there is one.
    pub async fn purchase(&self, attempt: Attempt, listed: &Listed) -> Result<Answer, Problem> {
        // What cannot be admitted any more can only be a repetition, which is free.
        if attempt.admissible != Admissible::Yes || !self.quotas.counts(QuotaKind::Purchases) {
            return Ok(self.within(self.intake.purchase(attempt)).await);
        }
        Box::pin(self.purchase_within_quota(attempt, listed)).await
    }

    /// Takes from the quota, asks the gate, and gives back what was not used. In a task of its own: a buyer who hangs up
    /// must not leave a use that is neither made nor given back.
    async fn purchase_within_quota(&self, attempt: Attempt, listed: &Listed) -> Result<Answer, Problem> {
        let (quotas, intake, gate) = (self.quotas.clone(), self.intake.clone(), self.gate.clone());
        let job = attempt.job;
        let instead = refused_anyway(listed, &attempt, self.catalog.now());
        let decide = async move {
            let taken = match quotas.purchase(&attempt.buyer, job, attempt.quantity.get()).await {
                Ok(taken) => taken,
                // A token that was admitted is answered with its job, whatever was used since.
                Err(refused) => match gate.job(job).await {
                    Ok(JobLookup::Found(_)) => None,
                    Ok(JobLookup::Absent) => return Err(instead.unwrap_or_else(|| Problem::quota(&refused))),
                    Ok(JobLookup::NotReady) | Err(_) => return Err(Problem::gate_away()),
                },
            };
            let answer = intake.purchase(attempt).await;
            if let Some(taken) = taken {
                match &answer {
                    Answer::Accepted { record, repeated } => quotas.accepted(taken, record, *repeated).await,
                    Answer::Refused(Refusal::NotReady) | Answer::NotReady | Answer::Overloaded => {
                        quotas.not_made(taken).await;
                    }
                    Answer::Refused(_) => quotas.denied(taken).await,
                    Answer::Unknown(_) => quotas.unknown(taken).await,
                }
            }
            Ok(answer)
        };
        self.runtime.spawn(decide).await.unwrap_or(Ok(Answer::Unknown(job)))
    }
}

/// What the gate would say of a purchase that was never admitted, as far as the catalog knows, in the gate's order. A
/// used-up quota is no reason to come back tomorrow to a sale that has ended.
fn refused_anyway(listed: &Listed, attempt: &Attempt, now: Timestamp) -> Option<Problem> {
    let sale = &listed.sale;
    let not_open = || Some(Problem::refused(&Refusal::NotOpen { opens_at: sale.opens_at, server_time: now }));
    match sale.state {
        SaleState::Draft => return not_open(),
        SaleState::Closed => return Some(Problem::ended()),
        _ if sale.closes_at <= now => return Some(Problem::ended()),
        SaleState::Paused => return Some(Problem::refused(&Refusal::Paused)),
        SaleState::Open if now < sale.opens_at => return not_open(),
        SaleState::Open => {}
    }
    let Some(item) = attempt.item else { return Some(Problem::refused(&Refusal::UnknownItem)) };
    if sale.limit_per_buyer < attempt.quantity.get() {
        return Some(Problem::quantity(sale.limit_per_buyer));
    }
    (listed.free(usize::from(item.get())) < i64::from(attempt.quantity.get())).then(Problem::sold_out)
}
