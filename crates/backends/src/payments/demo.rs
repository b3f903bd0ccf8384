//! A provider that is paid by nobody: each payment succeeds at once, and is reported by a signed webhook like a real
//! one's. For demos and tests.

use std::sync::Arc;

use async_trait::async_trait;
use domain::ports::{Clock, Outage, PaymentProvider};
use domain::webhook::WebhookSecret;
use domain::{OrderView, Refund, StartedPayment};
use serde_json::json;
use tokio::sync::mpsc;
use tracing::info;

/// Webhooks under way. A shop that takes them more slowly loses the next, as with any provider that gives up; the buyer
/// pays again, and it is the same payment.
const UNDER_WAY: usize = 1_024;

/// The demo provider.
pub struct Demo {
    secret: WebhookSecret,
    clock: Arc<dyn Clock>,
    webhooks: mpsc::Sender<SignedWebhook>,
}

/// A webhook as it would arrive: three headers and a body.
#[derive(Clone, Debug)]
pub struct SignedWebhook {
    /// `webhook-id`
    pub id: String,
    /// `webhook-timestamp`
    pub timestamp: String,
    /// `webhook-signature`
    pub signature: String,
    /// The raw body.
    pub body: Vec<u8>,
}

impl Demo {
    /// A provider that signs with `secret`, and its webhooks.
    pub fn new(secret: WebhookSecret, clock: Arc<dyn Clock>) -> (Arc<Self>, mpsc::Receiver<SignedWebhook>) {
        let (webhooks, sent) = mpsc::channel(UNDER_WAY);
        (Arc::new(Self { secret, clock, webhooks }), sent)
    }
}

#[async_trait]
impl PaymentProvider for Demo {
    async fn start(&self, order: &OrderView) -> Result<StartedPayment, Outage> {
        let amount = order.amount.ok_or_else(|| Outage::NotSent("the order has no price".to_owned()))?;
        // One payment for each order: pressing twice pays once.
        let payment = format!("demo-{}", order.order);
        let now = self.clock.now();
        let body = json!({
            "type": "payment.succeeded",
            "timestamp": now,
            "data": { "paymentId": payment, "orderId": order.order, "amount": amount },
        });
        let body = body.to_string().into_bytes();
        let id = format!("evt-{payment}");
        let signature = self.secret.sign(&id, now.timestamp(), &body);
        let webhook = SignedWebhook { id, timestamp: now.timestamp().to_string(), signature, body };
        self.webhooks
            .try_send(webhook)
            .map_err(|full| Outage::NotSent(format!("the demo provider is busy: {full}")))?;
        let payment = payment.parse().map_err(|why| Outage::NotSent(format!("a payment id: {why}")))?;
        Ok(StartedPayment { payment, url: None })
    }

    async fn refund(&self, refund: &Refund) -> Result<(), Outage> {
        let Refund { payment, order, amount, reason } = refund;
        info!(payment.id = %payment, order.id = %order, amount = amount.amount, reason = reason.as_str(),
              "the demo provider gives the money for order {order} back");
        Ok(())
    }
}
