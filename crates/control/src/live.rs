//! A setting that every instance follows.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::ports::{Operator, Outage, SettingStore};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Between two looks at the store: a change is obeyed everywhere within a second.
const EVERY: Duration = Duration::from_millis(400);

/// Changes that meet others are made again on what those left, so often.
const ATTEMPTS: usize = 20;

/// A document that operators change while everything runs. Postgres keeps it, every instance has a copy in memory; while
/// Postgres is away, the copy goes on.
pub struct Live<T> {
    name: &'static str,
    store: Arc<dyn SettingStore>,
    /// What holds until an operator says something else, from the configuration.
    default: T,
    current: ArcSwap<Versioned<T>>,
}

struct Versioned<T> {
    version: i64,
    value: Arc<T>,
}

/// Why a change was not made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChangeError<E> {
    /// The new document makes no sense, in the words of whoever checked it.
    #[error("refused")]
    Refused(E),
    /// The store gave no answer.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl<T: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync + 'static> Live<T> {
    /// The setting `name`, with what holds until it is set. Nothing is read yet.
    pub fn new(name: &'static str, store: Arc<dyn SettingStore>, default: T) -> Arc<Self> {
        let value = Arc::new(default.clone());
        let current = ArcSwap::from_pointee(Versioned { version: 0, value });
        Arc::new(Self { name, store, default, current })
    }

    /// The document as this instance obeys it now. Costs no wait and no lock.
    pub fn get(&self) -> Arc<T> {
        self.current.load().value.clone()
    }

    /// How many times it was changed.
    pub fn version(&self) -> i64 {
        self.current.load().version
    }

    /// The document with the number of the change that made it.
    pub fn versioned(&self) -> (i64, Arc<T>) {
        let current = self.current.load();
        (current.version, current.value.clone())
    }

    /// What holds where nothing was set.
    pub fn default(&self) -> &T {
        &self.default
    }

    /// Reads it from the store. Answers whether it is another one than before.
    pub async fn refresh(&self) -> Result<bool, Outage> {
        let setting = self.store.setting(self.name).await?;
        if setting.version <= self.version() {
            return Ok(false);
        }
        let value = match serde_json::from_value(setting.value) {
            Ok(value) => value,
            // Written by a newer version of this program, or by hand.
            Err(why) => {
                let name = self.name;
                return Err(Outage::NotSent(format!("the setting {name} cannot be read, the last one stays: {why}")));
            }
        };
        self.keep(setting.version, value);
        Ok(true)
    }

    /// Changes it by `change`, which is given the present document and may refuse; made again if somebody else changes
    /// it meanwhile. Answers the documents before and after.
    pub async fn change<E>(
        &self,
        by: &Operator,
        change: impl Fn(&T) -> Result<T, E>,
    ) -> Result<(T, T), ChangeError<E>> {
        for _ in 0..ATTEMPTS {
            let setting = self.store.setting(self.name).await?;
            let before = match setting.version {
                0 => self.default.clone(),
                // One that cannot be read is replaced by whatever comes now.
                _ => serde_json::from_value(setting.value).unwrap_or_else(|_| self.default.clone()),
            };
            let after = change(&before).map_err(ChangeError::Refused)?;
            let value = serde_json::to_value(&after)
                .map_err(|why| Outage::NotSent(format!("the setting {} is no JSON: {why}", self.name)))?;
            if let Some(version) = self.store.set(self.name, setting.version, &value, by).await? {
                self.keep(version, after.clone());
                return Ok((before, after));
            }
        }
        Err(Outage::NotSent(format!("the setting {} is being changed by others", self.name)).into())
    }

    /// Follows the store until stopped, and calls `changed` after each change that it finds.
    pub async fn follow(&self, stop: CancellationToken, changed: impl Fn(&T)) {
        let mut away = false;
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match self.refresh().await {
                Ok(true) => {
                    info!(setting = self.name, version = self.version(), "{} were changed", self.name);
                    changed(&self.get());
                }
                Ok(false) => {}
                Err(outage) if !away => {
                    warn!(setting = self.name, %outage, "{} cannot be read; what was last known stays", self.name);
                    away = true;
                    continue;
                }
                Err(_) => continue,
            }
            away = false;
        }
    }

    /// Keeps a document unless a later one is known.
    fn keep(&self, version: i64, value: T) {
        let new = Arc::new(Versioned { version, value: Arc::new(value) });
        self.current.rcu(|known| if known.version < version { new.clone() } else { known.clone() });
    }
}

#[cfg(test)]
mod tests {
    use backends::SystemClock;
    use backends::embedded::Embedded;

    use super::*;

    fn two() -> [Arc<Live<u32>>; 2] {
        let store = Embedded::new(Arc::new(SystemClock)).store;
        [0, 0].map(|default| Live::new("limits", store.clone(), default))
    }

    fn add(by: u32) -> impl Fn(&u32) -> Result<u32, &'static str> {
        move |now| if now + by > 100 { Err("too much") } else { Ok(now + by) }
    }

    #[tokio::test]
    async fn a_change_is_answered_with_before_and_after_and_followed_by_the_others() {
        let [one, other] = two();
        let by = Operator::default();
        assert_eq!(one.change(&by, add(7)).await.unwrap(), (0, 7));
        assert_eq!((*one.get(), *other.get()), (7, 0));
        assert!(other.refresh().await.unwrap());
        assert!(!other.refresh().await.unwrap());
        assert_eq!(other.change(&by, add(1)).await.unwrap(), (7, 8));
        assert!(matches!(one.change(&by, add(99)).await, Err(ChangeError::Refused("too much"))));
        assert_eq!((one.refresh().await.unwrap(), *one.get(), one.version()), (true, 8, 2));
    }

    #[tokio::test]
    async fn changes_that_meet_are_all_made() {
        let [one, other] = two();
        let by = Operator::default();
        let changes = (0..20).map(|at| {
            let live = if at % 2 == 0 { one.clone() } else { other.clone() };
            let by = by.clone();
            tokio::spawn(async move { live.change(&by, add(1)).await.unwrap() })
        });
        futures_util::future::join_all(changes).await;
        one.refresh().await.unwrap();
        assert_eq!(*one.get(), 20);
    }
}
