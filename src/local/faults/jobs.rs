//! Faults of what runs behind the answers.

use std::sync::{MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::active::Asked;
use super::{Fault, Faults};
use crate::local::clock::BusyGuard;
use crate::local::kinds::Kind;
use crate::local::state::Resource;

/// What is stuck until the rules are cleared.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Each goes on with a guard in its hand, or time would run away from it.
    tasks: Vec<oneshot::Sender<BusyGuard>>,
    /// How often the rules were cleared.
    cleared: u64,
}

/// The faults of one task, decided when it starts.
#[derive(Debug, Default)]
pub(in crate::local) struct JobFaults {
    pub(in crate::local) capacity: bool,
    /// How many checkpoints the job saves each time before its instances are taken away.
    pub(in crate::local) interruptions: Vec<u64>,
    /// The statuses that are never left; `None` is any.
    stuck: Vec<Option<String>>,
    /// How often the rules had been cleared when this was decided.
    cleared: u64,
}

impl JobFaults {
    /// Whether a task stays for ever in one of the statuses that it has now.
    pub(in crate::local) fn hold(&self, statuses: &[&str]) -> bool {
        let holds = |status: &Option<String>| status.as_deref().is_none_or(|status| statuses.contains(&status));
        self.stuck.iter().any(holds)
    }

    /// The rules were cleared.
    pub(in crate::local) fn release(&mut self) {
        self.stuck.clear();
    }

    /// Whether a task may be held at all.
    pub(in crate::local) fn may_hold(&self) -> bool {
        !self.stuck.is_empty()
    }
}

impl Faults {
    /// Decides the faults of a task that begins.
    pub(in crate::local) fn of_job(&self, kind: Kind, resource: &Resource) -> JobFaults {
        let mut faults = JobFaults::default();
        if !self.has(Fault::is_of_job) {
            return faults;
        }
        faults.cleared = self.held().cleared;
        let row = kind.row();
        let verb = match resource.status(row) {
            "Updating" => "Update",
            "Deleting" => "Delete",
            _ => "Create",
        };
        let spot = resource.request.get("EnableManagedSpotTraining").is_some_and(|spot| spot == true);
        let concerns = |fault: &Fault| match fault {
            Fault::SpotInterruption { .. } => spot,
            fault => fault.is_of_job(),
        };
        let (operation, resources) = (format!("{verb}{}", row.noun), [resource.name.clone()]);
        let asked = Asked { service: "sagemaker", operation: &operation, resources: &resources };
        for fault in self.decide(&asked, concerns, true) {
            match fault {
                Fault::Capacity => faults.capacity = true,
                Fault::SpotInterruption { checkpoints } => faults.interruptions.push(checkpoints),
                Fault::Stuck { status } => faults.stuck.push(status),
                _ => {}
            }
        }
        faults
    }

    /// Waits until the rules are cleared; not at all if they were since the faults were decided.
    pub(in crate::local) async fn hold(&self, faults: &JobFaults) -> BusyGuard {
        let (sender, receiver) = oneshot::channel();
        {
            let mut held = self.held();
            if held.cleared != faults.cleared {
                return self.clock.busy();
            }
            held.tasks.push(sender);
        }
        receiver.await.unwrap_or_else(|_| self.clock.busy())
    }

    /// What is stuck goes on.
    pub(super) fn release(&self) {
        let tasks = {
            let mut held = self.held();
            held.cleared += 1;
            std::mem::take(&mut held.tasks)
        };
        for task in tasks {
            // Who is gone needs no guard.
            drop(task.send(self.clock.busy()));
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
