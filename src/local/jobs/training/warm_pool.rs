//! Warm pools: instances that are kept for a while after a job, and taken over by the next one.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::super::Run;
use crate::local::kinds::Kind;
use crate::local::state::{Place, Resource, State};
use crate::local::time::{epoch, millis_of};

const STATUS: &str = "WarmPoolStatus";

/// How long a job's instances are kept after its end.
pub(super) fn keep_alive(resource: &Resource) -> Option<u64> {
    let config = resource.request.get("ResourceConfig")?;
    config.get("KeepAlivePeriodInSeconds")?.as_u64().filter(|&seconds| seconds > 0)
}

/// Whether a job's instances wait for another job.
pub(in crate::local) fn is_available(resource: &Resource) -> bool {
    resource.member("WarmPoolStatus.Status").and_then(Value::as_str) == Some("Available")
}

/// A job begins: it takes over a pool of the same instances, if one is available.
pub(in crate::local) fn take_over(state: &mut State, own: &str, place: &Place, now: SystemTime) {
    let Some(job) = state.get(Kind::TrainingJob.row(), place, own).ok().filter(|job| keep_alive(job).is_some()) else {
        return;
    };
    let wanted = like(job);
    let fits = |other: &&Resource| other.name != own && is_available(other) && like(other) == wanted;
    let Some(other) = state.all(Kind::TrainingJob).find(fits).map(|other| other.name.clone()) else { return };
    if let Ok(other) = state.get_mut(Kind::TrainingJob.row(), place, &other) {
        let kept = kept_for(other, now);
        let status = json!({"Status": "Reused", "ReusedByJob": own, "ResourceRetainedBillableTimeInSeconds": kept});
        other.set(STATUS, status);
    }
}

/// What must be the same for a job to take over the pool of another.
fn like(job: &Resource) -> [Value; 9] {
    let config = |member: &str| job.request.get("ResourceConfig").and_then(|config| config.get(member)).cloned();
    let own = |member: &str| job.request.get(member).cloned();
    let flag = |member: &str| Value::from(own(member) == Some(Value::Bool(true)));
    [
        config("InstanceType").unwrap_or_default(),
        config("InstanceCount").unwrap_or_default(),
        config("InstanceGroups").unwrap_or_default(),
        config("VolumeSizeInGB").unwrap_or_default(),
        config("VolumeKmsKeyId").unwrap_or_default(),
        own("RoleArn").unwrap_or_default(),
        own("VpcConfig").unwrap_or_default(),
        flag("EnableInterContainerTrafficEncryption"),
        flag("EnableNetworkIsolation"),
    ]
}

/// The seconds since a job's end.
fn kept_for(resource: &Resource, now: SystemTime) -> i64 {
    let ended = resource.state.get("TrainingEndTime").and_then(millis_of);
    ended.map_or(0, |ended| (epoch(now) - (ended / 1000.0) as i64).max(0))
}

/// A job uses its instances, or leaves them to the pool.
pub(super) fn show(resource: &mut Resource, status: &str) {
    if keep_alive(resource).is_some() {
        resource.set(STATUS, json!({"Status": status}));
    }
}

/// Keeps the instances of a job that ended, as long as its request says.
pub(super) async fn keep(mut run: Run) {
    let began = run.now();
    // The period may be changed meanwhile, also to one that is over.
    loop {
        let clock = run.owner.core.clock.clone();
        let seen = clock.changes();
        let waiting =
            run.owner.read(|resource| is_available(resource).then(|| keep_alive(resource).unwrap_or_default()));
        let Some(Some(seconds)) = waiting else { return run.abandon() };
        let passed = run.now().duration_since(began).unwrap_or_default();
        let left = Duration::from_secs(seconds).saturating_sub(passed);
        if left.is_zero() {
            break;
        }
        run.hold().await;
        let changed = async {
            clock.change_since(seen).await;
            ((), None)
        };
        run.attend(changed, true, Some(left)).await;
    }
    drop(run.finish(|resource, now| {
        let kept = kept_for(resource, now);
        resource.set(STATUS, json!({"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": kept}));
    }));
}
