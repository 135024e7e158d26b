//! Process groups: whatever a command starts ends with it, and none of it outlives the engine.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::folder::OptMl;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// A command and all that it started.
pub(super) struct Group {
    pid: Pid,
    state: Mutex<State>,
}

struct State {
    child: Child,
    ended: Option<ExitStatus>,
    /// Deleted when the command has ended.
    folder: Option<OptMl>,
}

/// All groups of an engine.
#[derive(Default)]
pub(super) struct Groups(Mutex<Members>);

#[derive(Default)]
struct Members {
    /// Nothing is started any more.
    closed: bool,
    groups: Vec<Weak<Group>>,
}

impl Groups {
    /// Starts a command in a group of its own.
    pub(super) fn spawn(&self, mut command: Command) -> io::Result<Arc<Group>> {
        let mut members = self.members();
        if members.closed {
            return Err(io::Error::other("the local backend has ended"));
        }
        let child = command.process_group(0).spawn()?;
        let group =
            Group { pid: Pid::from_child(&child), state: Mutex::new(State { child, ended: None, folder: None }) };
        let group = Arc::new(group);
        members.groups.retain(|group| group.strong_count() > 0);
        members.groups.push(Arc::downgrade(&group));
        Ok(group)
    }

    /// Ends all groups at once, and lets no new one begin.
    pub(super) fn close(&self) {
        let groups = {
            let mut members = self.members();
            members.closed = true;
            std::mem::take(&mut members.groups)
        };
        for group in groups.iter().filter_map(Weak::upgrade) {
            group.kill();
        }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    /// How the command ended, if it has. What it left running is killed then, as in a container.
    pub(super) fn ended(&self) -> Option<ExitStatus> {
        let mut state = self.state();
        if state.ended.is_none() {
            // Asks without reaping: the number of the group cannot go to somebody else before the group is killed.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            if !matches!(waitid(WaitId::Pid(self.pid), options), Ok(None)) {
                self.reap(&mut state);
            }
        }
        state.ended
    }

    /// Asks the group to end (SIGTERM).
    pub(super) fn terminate(&self) {
        let state = self.state();
        if state.ended.is_none() {
            let _ = kill_process_group(self.pid, Signal::TERM);
        }
    }

    /// Ends the group (SIGKILL).
    pub(super) fn kill(&self) {
        let mut state = self.state();
        if state.ended.is_none() {
            self.reap(&mut state);
        }
    }

    /// Asks the group to end, and ends it when `limit` has passed. Blocks until it has ended.
    pub(super) fn stop(&self, limit: Duration) {
        self.terminate();
        let mut pause = Pause::default();
        while self.ended().is_none() {
            if pause.total > limit {
                return self.kill();
            }
            pause.take();
        }
    }

    /// Leaves a folder to the command, which is deleted when that has ended.
    pub(super) fn leave(&self, folder: OptMl) {
        let mut state = self.state();
        if state.ended.is_none() {
            state.folder = Some(folder);
        }
    }

    fn reap(&self, state: &mut State) {
        let _ = kill_process_group(self.pid, Signal::KILL);
        // It fails only if somebody else has waited for the child; then its end is all that is known.
        state.ended = Some(state.child.wait().unwrap_or(ExitStatus::from_raw(1 << 8)));
        state.folder = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The exit code as a shell and a container runtime tell it: 128 and the signal for what a signal ended.
pub(super) fn exit_code(status: ExitStatus) -> i32 {
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1)
}

/// Looks again soon at first, then more and more seldom.
#[derive(Default)]
pub(super) struct Pause {
    pub(super) total: Duration,
    next: Duration,
}

impl Pause {
    const LONGEST: Duration = Duration::from_millis(20);

    /// Blocks for a moment, in reality.
    pub(super) fn take(&mut self) {
        self.next = (self.next * 2).clamp(Duration::from_millis(1), Self::LONGEST);
        std::thread::sleep(self.next);
        self.total += self.next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::process::Stdio;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    fn wait(group: &Group) -> i32 {
        let mut pause = Pause::default();
        loop {
            match group.ended() {
                Some(status) => return exit_code(status),
                None => pause.take(),
            }
        }
    }

    #[test]
    fn exit_codes_and_signals() {
        let groups = Groups::default();
        assert_eq!(wait(&groups.spawn(shell("exit 3")).unwrap()), 3);
        assert_eq!(wait(&groups.spawn(shell("kill -9 $$")).unwrap()), 137);
        assert!(groups.spawn(Command::new("/no/such/command")).is_err());
    }

    #[test]
    fn children_end_with_their_group() {
        let groups = Groups::default();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut command = shell("sleep 600 & echo started; exit 0");
        command.stdout(writer);
        let group = groups.spawn(command).unwrap();
        assert_eq!(wait(&group), 0);
        // The pipe ends only when the sleeper is gone as well.
        let mut said = String::new();
        reader.read_to_string(&mut said).unwrap();
        assert_eq!(said, "started\n");
    }

    #[test]
    fn what_ignores_sigterm_is_killed() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut command = shell("trap '' TERM; echo ready; while :; do sleep 1; done");
        command.stdout(writer);
        let group = Groups::default().spawn(command).unwrap();
        reader.read_exact(&mut [0; 6]).unwrap();
        group.stop(Duration::from_millis(30));
        assert_eq!(wait(&group), 137);
    }

    #[test]
    fn closing_ends_all_and_lets_none_begin() {
        let groups = Groups::default();
        let group = groups.spawn(shell("sleep 600")).unwrap();
        groups.close();
        assert_eq!(wait(&group), 137);
        assert!(groups.spawn(shell("exit 0")).is_err());
    }
}
