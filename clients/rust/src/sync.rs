//! Locks.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock. What our locks hold is consistent between statements: a panic of a thread that held one is no
/// reason for others to panic, too.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
