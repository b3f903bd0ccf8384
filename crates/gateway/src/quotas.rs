//! Quotas at the edge: requests of API clients, and purchases of buyers.

use domain::ports::JobLookup;
use domain::{Admissible, Attempt, QuotaKind};
use order_intake::Answer;

use crate::auth::Buyer;
use crate::edge::Edge;
use crate::problem::Problem;

impl Edge {
    /// Counts a request against the quota of the API client that sent it. A login that names none is not counted.
    pub async fn count_request(&self, buyer: &Buyer) -> Result<(), Problem> {
        let Some(client) = &buyer.client else { return Ok(()) };
        if !self.quotas.counts(QuotaKind::Requests) {
            return Ok(());
        }
        self.within(self.quotas.request(client)).await.map_err(|refused| Problem::quota(&refused))
    }

    /// Decides a purchase, within the buyer's quota where there is one.
    pub async fn purchase(&self, attempt: Attempt) -> Result<Answer, Problem> {
        // What cannot be admitted any more can only be a repetition, which is free.
        if attempt.admissible != Admissible::Yes || !self.quotas.counts(QuotaKind::Purchases) {
            return Ok(self.within(self.intake.purchase(attempt)).await);
        }
        self.purchase_within_quota(attempt).await
    }

    /// Takes from the quota, asks the gate, and gives back what was not used. In a task of its own: a buyer who hangs up
    /// must not leave a use that is neither made nor given back.
    async fn purchase_within_quota(&self, attempt: Attempt) -> Result<Answer, Problem> {
        let (quotas, intake, gate) = (self.quotas.clone(), self.intake.clone(), self.gate.clone());
        let job = attempt.job;
        let decide = async move {
            let taken = match quotas.purchase(&attempt.buyer, job, attempt.quantity.get()).await {
                Ok(taken) => taken,
                // A token that was admitted is answered with its job, whatever was used since.
                Err(refused) => match gate.job(job).await {
                    Ok(JobLookup::Found(_)) => None,
                    Ok(JobLookup::Absent) => return Err(Problem::quota(&refused)),
                    Ok(JobLookup::NotReady) | Err(_) => return Err(Problem::gate_away()),
                },
            };
            let answer = intake.purchase(attempt).await;
            if let Some(event) = taken {
                match &answer {
                    Answer::Accepted { repeated: false, .. } | Answer::Unknown(_) => quotas.purchased(event).await,
                    Answer::Accepted { repeated: true, .. }
                    | Answer::Refused(_)
                    | Answer::NotReady
                    | Answer::Overloaded => quotas.not_purchased(event).await,
                }
            }
            Ok(answer)
        };
        self.runtime.spawn(decide).await.unwrap_or(Ok(Answer::Unknown(job)))
    }
}
