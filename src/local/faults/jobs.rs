//! Faults of what runs behind the answers.

use tokio::sync::watch;

use super::active::Asked;
use super::{Fault, Faults};
use crate::local::kinds::Kind;
use crate::local::state::Resource;

/// The faults of one task, decided when it starts.
#[derive(Debug, Default)]
pub(in crate::local) struct JobFaults {
    pub(in crate::local) capacity: bool,
    /// How often the instances are taken away.
    pub(in crate::local) interruptions: usize,
    /// The statuses that are never left; `None` is any.
    stuck: Vec<Option<String>>,
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
        let row = kind.row();
        let verb = match resource.status(row) {
            "Updating" => "Update",
            "Deleting" => "Delete",
            _ => "Create",
        };
        let spot = resource.request.get("EnableManagedSpotTraining").is_some_and(|spot| spot == true);
        let concerns = |fault: &Fault| match fault {
            Fault::SpotInterruption => spot,
            fault => fault.is_of_job(),
        };
        let (operation, resources) = (format!("{verb}{}", row.noun), [resource.name.clone()]);
        let asked = Asked { service: "sagemaker", operation: &operation, resources: &resources };
        for fault in self.decide(&asked, concerns, true) {
            match fault {
                Fault::Capacity => faults.capacity = true,
                Fault::SpotInterruption => faults.interruptions += 1,
                Fault::Stuck { status } => faults.stuck.push(status),
                _ => {}
            }
        }
        faults
    }

    /// Changes when the rules are cleared.
    pub(in crate::local) fn watch(&self) -> watch::Receiver<u64> {
        self.cleared.subscribe()
    }
}
