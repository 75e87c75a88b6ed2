//! When to try again, and after how long.

use crate::time::Duration;

/// Full jitter between zero and `backoff × 2ⁿ`, capped; `Retry-After` is honoured up to its own cap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries of one request, the first included. 5.
    pub attempts: u32,
    /// First pause. 200 ms.
    pub backoff: Duration,
    /// Longest pause. 10 s.
    pub backoff_max: Duration,
    /// Longest `Retry-After` that is waited for. 60 s.
    pub retry_after_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> RetryPolicy {
        RetryPolicy {
            attempts: 5,
            backoff: Duration::from_millis(200),
            backoff_max: Duration::from_secs(10),
            retry_after_max: Duration::from_secs(60),
        }
    }
}
