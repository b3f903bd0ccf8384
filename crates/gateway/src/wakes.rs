//! Wakes a server thread once for all answers that arrive together.
//!
//! The main runtime settles purchases in groups, and each answer wakes a task of a server thread. Left to the runtimes,
//! each of these wakes is a system call. Here they are collected, and only the first one interrupts the thread.

use std::cell::OnceCell;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};

use control::lock;
use futures_util::task::AtomicWaker;

/// The tasks of one server thread that other threads have woken and the thread has not seen yet.
#[derive(Default)]
pub struct Wakes {
    woken: Mutex<Vec<Waker>>,
    thread: AtomicWaker,
}

impl Wakes {
    /// Those of this server thread. They end with the thread.
    pub fn here() -> Arc<Self> {
        thread_local! {
            static HERE: OnceCell<Arc<Wakes>> = const { OnceCell::new() };
        }
        HERE.with(|here| here.get_or_init(Self::begin).clone())
    }

    fn begin() -> Arc<Self> {
        let wakes = Arc::<Self>::default();
        actix_web::rt::spawn(wakes.clone().pass_on());
        wakes
    }

    /// A waker that stands for `task`, a task of this thread.
    pub fn collecting(self: Arc<Self>, task: Waker) -> Waker {
        Arc::new(Collecting { wakes: self, task }).into()
    }

    fn add(&self, task: &Waker) {
        let mut woken = lock(&self.woken);
        woken.push(task.clone());
        if woken.len() == 1 {
            drop(woken);
            self.thread.wake();
        }
    }

    /// On the thread itself, where waking a task is cheap.
    async fn pass_on(self: Arc<Self>) {
        let mut seen = Vec::new();
        poll_fn(|context| {
            self.thread.register(context.waker()); // before looking, so that what comes meanwhile wakes again
            std::mem::swap(&mut *lock(&self.woken), &mut seen);
            seen.drain(..).for_each(Waker::wake);
            Poll::Pending
        })
        .await
    }
}

struct Collecting {
    wakes: Arc<Wakes>,
    task: Waker,
}

impl Wake for Collecting {
    fn wake(self: Arc<Self>) {
        self.wakes.add(&self.task);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wakes.add(&self.task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn of_many_wakes_only_the_first_one_interrupts_the_thread_and_none_is_lost() {
        let wakes = Arc::<Wakes>::default();
        let (thread, task) = (Arc::<Count>::default(), Arc::<Count>::default());
        let waker = wakes.clone().collecting(task.clone().into());
        let interrupted = Waker::from(thread.clone());
        let mut context = std::task::Context::from_waker(&interrupted);
        let mut passing = Box::pin(wakes.pass_on());
        for round in 1..=3 {
            assert!(passing.as_mut().poll(&mut context).is_pending());
            (0..100).for_each(|_| waker.wake_by_ref());
            let counted = || (thread.0.load(Ordering::SeqCst), task.0.load(Ordering::SeqCst));
            assert_eq!(counted(), (round, 100 * (round - 1)));
            assert!(passing.as_mut().poll(&mut context).is_pending());
            assert_eq!(counted(), (round, 100 * round));
        }
    }
}
