//! The task behind a resource that only goes from state to state.

use super::Run;
use crate::local::kinds::{Row, Step};

/// Takes a resource through its states, unless another way through them begins meanwhile; at the end of a deletion it
/// is gone. It is in the first state already.
pub(in crate::local) async fn walk(mut run: Run, row: &'static Row, walk: u64, steps: &'static [Step], removes: bool) {
    let mut current = steps.iter().peekable();
    while let Some((_, seconds)) = current.next() {
        let next = current.peek();
        if next.is_none() && !removes {
            break;
        }
        run.pass(*seconds).await;
        let is_current = run.update(|resource, now| {
            if resource.walks != walk {
                return false;
            }
            if let Some((status, _)) = next {
                resource.set(row.status_member(), *status);
                (row.status.reached)(resource, status, now);
            }
            true
        });
        if is_current != Some(true) {
            return run.abandon();
        }
    }
    if removes { run.remove() } else { run.abandon() }
}
