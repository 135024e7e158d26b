use tokio::sync::{Semaphore, SemaphorePermit};

/// Parts of objects under way at once in a session, whichever call they belong to: bounds memory and connections.
const PARTS: usize = 8;

/// Leave to send or fetch a part of an object.
pub(crate) struct Transfers(Semaphore);

impl Default for Transfers {
    fn default() -> Self {
        Self(Semaphore::new(PARTS))
    }
}

impl Transfers {
    /// Waits for its turn. The leave ends when the permit is dropped.
    pub(crate) async fn part(&self) -> Option<SemaphorePermit<'_>> {
        // `None` would mean a closed semaphore, and nothing closes it.
        self.0.acquire().await.ok()
    }
}
