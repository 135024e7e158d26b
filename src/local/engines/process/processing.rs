//! Processing jobs by a command.

use super::environment;
use super::run::{Signs, spawn, wait};
use super::{Launch, Processes};
use crate::local::engines::{EngineFailure, ProcessingTask};

/// Runs a job's command on the folder that the backend has laid out; one for all its instances.
pub(super) fn process(processes: &Processes, launch: &Launch, job: &ProcessingTask) -> Result<(), EngineFailure> {
    let disk = |error| EngineFailure::client(format!("the job's folder cannot be found: {error}"));
    let root = job.root.canonicalize().map_err(disk)?.join("opt/ml");
    let variables = environment::processing(&root, job, &launch.setting.environment);
    let spawned = spawn(processes, launch, &root, variables, job.log.clone());
    let (group, output) = spawned.map_err(|why| EngineFailure::client(launch.cannot_start(&why)))?;
    let failed = wait(&[group], &Signs { stopping: &*job.stopping, killed: &*job.killed }, &mut || {});
    output.finish();
    match failed {
        _ if (job.killed)() => Err(EngineFailure::Stopped),
        None => Ok(()),
        Some(_) if job.is_stopping() => Err(EngineFailure::Stopped),
        Some(failed) => {
            Err(EngineFailure::algorithm("See job logs for more information").with_exit_code(failed.exit_code))
        }
    }
}
