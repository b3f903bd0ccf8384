//! Small things that many share: a count that is up while somebody lives, and locks that outlive a panic.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts for as long as it lives, also when its caller goes away in the middle.
pub struct Counted<'c>(&'c AtomicUsize);

impl<'c> Counted<'c> {
    /// One more.
    pub fn up(count: &'c AtomicUsize) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Locks it, also after a panic of somebody who held it: for plain values, of which nothing is ever left half done.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_count_goes_down_and_a_lock_goes_on_after_a_panic() {
        let (count, list) = (AtomicUsize::new(0), Mutex::new(vec![1]));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _counted = Counted::up(&count);
            let mut list = lock(&list);
            list.push(2);
            assert_eq!(count.load(Relaxed), 0, "it is 1: this panics");
        }));
        assert!(panicked.is_err() && list.is_poisoned());
        assert_eq!((count.load(Relaxed), lock(&list).len()), (0, 2));
    }
}
