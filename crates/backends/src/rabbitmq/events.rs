//! Announces what happened: outbox rows in their order, all of them under way before the first confirm is awaited.

use async_trait::async_trait;
use domain::ports::{EventBus, Outage, OutboxRow};

use super::RabbitMq;
use super::message::Outgoing;

#[async_trait]
impl EventBus for RabbitMq {
    async fn announce(&self, rows: &[OutboxRow]) -> Result<usize, Outage> {
        self.link.gate.check()?;
        let mut under_way = Vec::with_capacity(rows.len());
        let mut stopped = None;
        for row in rows {
            match self.link.side.begin(Outgoing::event(&self.link.topology, row), self.link.deadline()).await {
                Ok(pending) => under_way.push(pending),
                // What is on its way already still counts.
                Err(outage) => {
                    stopped = Some(outage);
                    break;
                }
            }
        }
        let deadline = self.link.deadline();
        let mut announced = 0;
        for pending in under_way {
            if let Err(outage) = pending.confirmed(deadline).await {
                stopped = Some(outage);
                break;
            }
            announced += 1;
        }
        match stopped {
            Some(outage) if announced == 0 => Err(outage),
            _ => Ok(announced),
        }
    }
}
