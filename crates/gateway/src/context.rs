//! Lends the main runtime to work that starts on a server thread.
//!
//! Each server thread has a small runtime of its own, which ends with the server. Connections, timers and tasks that
//! backends and the intake create belong to the main runtime: they are shared, and outlive the server.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Waker};

use domain::ports::Outage;
use tokio::runtime::Handle;

use crate::wakes::Wakes;

/// Polls `work` on this thread, inside the main runtime's context. For work that may be dropped half way.
pub async fn within<F: Future>(runtime: &Handle, work: F) -> F::Output {
    let mut work = pin!(work);
    // The task's own waker, and the one that the main runtime is given in its place.
    let mut wakers: Option<(Waker, Waker)> = None;
    poll_fn(|context| {
        let (_, together) = match &mut wakers {
            Some(known) if known.0.will_wake(context.waker()) => known,
            outdated => outdated.insert((context.waker().clone(), Wakes::here().collecting(context.waker().clone()))),
        };
        let _inside = runtime.enter();
        work.as_mut().poll(&mut Context::from_waker(together))
    })
    .await
}

/// Runs `work` on the main runtime, to its end even if the caller goes away: a transaction that is dropped half way
/// would leave its connection in doubt.
pub async fn to_its_end<T, E>(
    runtime: &Handle,
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Outage> + Send + 'static,
{
    let lost = |error| E::from(Outage::Unknown(format!("the work was lost: {error}")));
    runtime.spawn(work).await.unwrap_or_else(|error| Err(lost(error)))
}
