//! The port `LockStore`: in-process, Redis, and Postgres, which takes over while Redis is away.

use std::sync::Arc;
use std::time::Duration;

use backends::embedded::EmbeddedLocks;
use domain::ports::{LockStore, LockToken};

use crate::gate::redis_gate;
use crate::store::with_postgres;
use crate::support::eventually;

type Store = Arc<dyn LockStore>;

mod excludes {
    crate::suite!(crate::locks::scenarios: embedded by crate::locks::embedded, redis by crate::locks::redis,
        postgres by crate::locks::postgres; [
        a_lock_has_one_holder_until_it_ends_it,
        a_lock_whose_time_is_over_is_anybodys_and_a_foreign_release_ends_nothing,
        a_renewed_lock_lives_on,
        racing_callers_have_one_winner,
    ]);
}

async fn embedded<F: Future<Output = ()>>(scenario: fn(Store) -> F) {
    scenario(Arc::new(EmbeddedLocks::default())).await;
}

async fn redis<F: Future<Output = ()>>(scenario: fn(Store) -> F) {
    scenario(redis_gate().await).await;
}

async fn postgres<F: Future<Output = ()> + Send + 'static>(scenario: fn(Store) -> F) {
    with_postgres(move |postgres| scenario(postgres)).await;
}

mod scenarios {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(300);

    fn token(n: u8) -> LockToken {
        LockToken::new([[n; 6], [0; 6]])
    }

    pub(super) async fn a_lock_has_one_holder_until_it_ends_it(store: Store) {
        let [one, other] = [1, 2].map(token);
        assert_eq!(store.active().await.unwrap(), 0);
        assert!(store.acquire("s1:load", &one, LONG).await.unwrap());
        assert!(!store.acquire("s1:load", &other, LONG).await.unwrap());
        assert!(store.acquire("s1:load", &one, LONG).await.unwrap(), "an answer that was lost is given again");
        assert!(store.acquire("s1:cancel", &other, LONG).await.unwrap(), "another operation is another lock");
        assert_eq!(store.active().await.unwrap(), 2);
        assert!(!store.release("s1:load", &other).await.unwrap(), "it is not its own");
        assert!(!store.renew("s1:load", &other, LONG).await.unwrap());
        assert!(!store.acquire("s1:load", &other, LONG).await.unwrap(), "and it is still held");
        assert!(store.release("s1:load", &one).await.unwrap());
        assert!(!store.release("s1:load", &one).await.unwrap(), "it has ended already");
        assert!(!store.renew("s1:load", &one, LONG).await.unwrap());
        assert!(store.acquire("s1:load", &other, LONG).await.unwrap());
        assert_eq!(store.active().await.unwrap(), 2);
    }

    pub(super) async fn a_lock_whose_time_is_over_is_anybodys_and_a_foreign_release_ends_nothing(store: Store) {
        let [dead, next] = [1, 2].map(token);
        assert!(store.acquire("s1:load", &dead, SHORT).await.unwrap());
        eventually("it is anybody's", || async { store.acquire("s1:load", &next, LONG).await.unwrap() }).await;
        assert!(!store.renew("s1:load", &dead, LONG).await.unwrap(), "its old holder is told");
        assert!(!store.release("s1:load", &dead).await.unwrap());
        assert!(!store.acquire("s1:load", &dead, LONG).await.unwrap(), "nothing was ended");
        assert!(store.renew("s1:load", &next, LONG).await.unwrap());
        assert!(store.acquire("s2:load", &dead, SHORT).await.unwrap());
        eventually("it is not counted any more", || async { store.active().await.unwrap() == 1 }).await;
        assert!(!store.release("s2:load", &dead).await.unwrap(), "nobody's is not its own either");
    }

    pub(super) async fn a_renewed_lock_lives_on(store: Store) {
        let [one, other] = [1, 2].map(token);
        assert!(store.acquire("s1:load", &one, Duration::from_secs(2)).await.unwrap());
        assert!(store.renew("s1:load", &one, LONG).await.unwrap());
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        assert!(!store.acquire("s1:load", &other, LONG).await.unwrap());
        assert_eq!(store.active().await.unwrap(), 1);
    }

    pub(super) async fn racing_callers_have_one_winner(store: Store) {
        let racing = (0..32).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.acquire("s1:load", &token(n), LONG).await.unwrap() })
        });
        let won = futures_util::future::join_all(racing).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
        assert_eq!(won, 1);
    }
}
