//! Webhooks of the payment provider: nothing of a body is believed, or even read, before its signature is.

use std::sync::Arc;

use domain::ports::{Clock, OrderLife, Outage};
use domain::webhook::{NotSigned, Signed, WebhookSecret, verify};
use domain::{EventId, JobId, Money, PaymentEvent, PaymentId, PaymentNoted, PaymentResult};
use serde::Deserialize;
use tracing::info;

/// Takes webhooks in, over HTTP or from a provider in this process.
pub struct Webhooks {
    secrets: Vec<WebhookSecret>,
    life: Arc<dyn OrderLife>,
    clock: Arc<dyn Clock>,
}

/// Why a webhook was not taken.
#[derive(Debug)]
pub enum NotTaken {
    /// It is not the provider's.
    NotSigned(NotSigned),
    /// It is, and says what cannot be.
    Wrong(String),
    /// It could not be written; the provider will send it again.
    Outage(Outage),
}

/// What a webhook says, whatever it is about.
#[derive(Deserialize)]
struct Envelope<'w> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'w, str>,
    #[serde(default, borrow)]
    data: Option<&'w serde_json::value::RawValue>,
}

/// What it says about a payment. Providers may say more.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    payment_id: PaymentId,
    order_id: JobId,
    amount: Amount,
}

#[derive(Deserialize)]
struct Amount {
    amount: i64,
    currency: domain::Currency,
}

impl Webhooks {
    /// Believes webhooks that are signed with one of `secrets`; none of them when there is none.
    pub fn new(secrets: Vec<WebhookSecret>, life: Arc<dyn OrderLife>, clock: Arc<dyn Clock>) -> Self {
        for result in ["succeeded", "failed", "repeated", "ignored"] {
            metrics::counter!("seckill_payment_webhooks_total", "result" => result).increment(0);
        }
        Self { secrets, life, clock }
    }

    /// Is there a secret that a webhook could be signed with?
    pub fn can_be_believed(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// Verifies, reads and notes one webhook. Answers what was made of it after the commit; `None` for one that is not
    /// about the end of a payment.
    pub async fn take(&self, signed: &Signed<'_>, body: &[u8]) -> Result<Option<PaymentNoted>, NotTaken> {
        verify(&self.secrets, signed, body, self.clock.now()).map_err(NotTaken::NotSigned)?;
        let Some(event) = read(signed.id, body).map_err(NotTaken::Wrong)? else {
            metrics::counter!("seckill_payment_webhooks_total", "result" => "ignored").increment(1);
            return Ok(None);
        };
        let noted = self.life.note_payment(&event).await.map_err(NotTaken::Outage)?;
        let (payment, order) = (&event.payment, event.order);
        let result = match noted {
            PaymentNoted::Repeated => "repeated",
            PaymentNoted::Failed => "failed",
            PaymentNoted::Paid | PaymentNoted::Open | PaymentNoted::RefundDue(_) => "succeeded",
        };
        metrics::counter!("seckill_payment_webhooks_total", "result" => result).increment(1);
        info!(payment.id = %payment, order.id = %order, ?noted, "a payment for order {order} was reported");
        Ok(Some(noted))
    }
}

/// The event of a verified body; `None` for kinds that do not concern us.
fn read(id: &str, body: &[u8]) -> Result<Option<PaymentEvent>, String> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|why| format!("the body: {why}"))?;
    let result = match envelope.kind.as_ref() {
        "payment.succeeded" => PaymentResult::Succeeded,
        "payment.failed" => PaymentResult::Failed,
        _ => return Ok(None),
    };
    let event: EventId = id.parse().map_err(|why| format!("webhook-id: {why}"))?;
    let data = envelope.data.ok_or("data: is missing")?;
    let Payment { payment_id, order_id, amount: Amount { amount, currency } } =
        serde_json::from_str(data.get()).map_err(|why| format!("data: {why}"))?;
    if amount < 0 {
        return Err("data: amount.amount: is below 0".to_owned());
    }
    Ok(Some(PaymentEvent { event, payment: payment_id, order: order_id, amount: Money { amount, currency }, result }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = "0191e7f0-0000-8000-8040-000000000001";

    #[test]
    fn a_payment_is_read_and_what_is_about_something_else_is_passed_over() {
        let body = format!(
            r#"{{"type":"payment.succeeded","timestamp":"2031-01-01T00:00:00Z","data":
               {{"paymentId":"p1","orderId":"{ORDER}","amount":{{"amount":5,"currency":"CNY","x":1}},"more":[]}}}}"#
        );
        let event = read("e1", body.as_bytes()).unwrap().unwrap();
        assert_eq!((event.payment.as_str(), event.amount.amount, event.result), ("p1", 5, PaymentResult::Succeeded));
        assert_eq!(read("e1", br#"{"type":"customer.created","data":{}}"#), Ok(None));
        assert_eq!(read("e1", br#"{"type":"customer.created"}"#), Ok(None));
    }

    #[test]
    fn what_cannot_be_is_said() {
        for (body, said) in [
            ("", "body"),
            ("[]", "body"),
            (r#"{"data":{}}"#, "body"),
            (r#"{"type":"payment.failed"}"#, "data"),
            (r#"{"type":"payment.failed","data":{"paymentId":"","orderId":"x","amount":{}}}"#, "data"),
        ] {
            let why = read("e1", body.as_bytes()).unwrap_err();
            assert!(why.starts_with(said) || why.contains(said), "{body}: {why}");
        }
        let negative = format!(
            r#"{{"type":"payment.succeeded","data":{{"paymentId":"p","orderId":"{ORDER}","amount":{{"amount":-5,"currency":"CNY"}}}}}}"#
        );
        assert!(read("e1", negative.as_bytes()).unwrap_err().contains("below 0"));
    }
}
