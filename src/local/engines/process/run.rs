//! Starts commands and waits for them.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::environment::{self, Variables};
use super::group::{Group, Pause, exit_code};
use super::output::{Log, Output};
use super::{Launch, Processes};

/// How often [`wait`] does what is to be done meanwhile.
const NOW_AND_THEN: Duration = Duration::from_millis(500);

/// Starts a command whose output goes to a log; `root` is its `/opt/ml`.
pub(super) fn spawn(
    processes: &Processes,
    launch: &Launch,
    root: &Path,
    variables: Variables,
    log: Log,
) -> io::Result<(Arc<Group>, Output)> {
    let moved = |text: &str| environment::relocate(text, root);
    let (reader, writer) = io::pipe()?;
    let mut process = Command::new(moved(launch.command.program()));
    process.args(launch.command.arguments().iter().map(|argument| moved(argument)));
    process.env_clear().envs(variables).stdin(Stdio::null());
    process.stdout(writer.try_clone()?).stderr(writer);
    if let Some(place) = &launch.setting.working_directory {
        process.current_dir(moved(&environment::text(place)));
    }
    // The command holds the writing end, and goes with this call: the pipe ends when the processes do.
    let group = processes.groups.spawn(process)?;
    let output = Output::follow(reader, log)?;
    Ok((group, output))
}

/// A job's two signs to end.
pub(super) struct Signs<'a> {
    pub(super) stopping: &'a dyn Fn() -> bool,
    pub(super) killed: &'a dyn Fn() -> bool,
}

/// A command that failed: its place among the others, and its exit code.
pub(super) struct Failed {
    pub(super) place: usize,
    pub(super) exit_code: i32,
}

/// Blocks until all commands have ended; the first that failed. When one fails, the others are ended, as AWS does; when a
/// stop is asked for, all are asked to end, and at the end of the time for it they are ended.
///
/// Now and then it does what is to be done meanwhile.
pub(super) fn wait(groups: &[Arc<Group>], signs: &Signs<'_>, meanwhile: &mut dyn FnMut()) -> Option<Failed> {
    let mut ended = vec![false; groups.len()];
    let mut failed = None;
    let mut told = false;
    let mut pause = Pause::default();
    let mut done = Duration::ZERO;
    loop {
        for (place, (group, ended)) in groups.iter().zip(&mut ended).enumerate().filter(|(_, (_, ended))| !**ended) {
            let Some(status) = group.ended() else { continue };
            *ended = true;
            if !status.success() && failed.is_none() {
                failed = Some(Failed { place, exit_code: exit_code(status) });
            }
        }
        if ended.iter().all(|ended| *ended) {
            return failed;
        }
        if failed.is_some() && !(signs.stopping)() || (signs.killed)() {
            groups.iter().for_each(|group| group.kill());
        } else if (signs.stopping)() && !told {
            told = true;
            groups.iter().for_each(|group| group.terminate());
        }
        pause.take();
        if pause.total.saturating_sub(done) > NOW_AND_THEN {
            done = pause.total;
            meanwhile();
        }
    }
}
