use std::fmt;

/// How a job ended that did not complete: the service's reason and the last lines that its containers logged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobFailure {
    /// The job's name.
    pub job_name: String,
    /// The status it ended with, such as `Failed` or `Stopped`.
    pub status: String,
    /// The more precise status, such as `MaxRuntimeExceeded`.
    pub secondary_status: Option<String>,
    /// `FailureReason` as the service gives it.
    pub reason: Option<String>,
    /// The exit code of the container, where the reason tells one.
    pub exit_code: Option<i32>,
    /// The last lines of the job's logs, oldest first.
    pub last_log_lines: Vec<String>,
    /// Why last lines are missing, if the logs could not be read, or not all of them.
    pub logs_error: Option<String>,
    /// Where the whole log is: a command that prints it or, on the local backend, the method that gives it.
    pub see_more: String,
    /// The page of the AWS console that shows the logs; `None` on the local backend.
    pub console_url: Option<String>,
}

impl JobFailure {
    /// The exit code that a failure reason tells, as in `... exit code: 2`.
    #[cfg(feature = "control-plane")]
    pub(crate) fn exit_code_in(reason: &str) -> Option<i32> {
        let lower = reason.to_ascii_lowercase();
        let at = ["exit code", "exitcode", "exit status"]
            .iter()
            .find_map(|word| lower.rfind(word).map(|at| at + word.len()))?;
        let digits: String = lower[at..]
            .trim_start_matches([':', '=', ' ', '"', '\''])
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == '-')
            .collect();
        digits.parse().ok()
    }
}

impl fmt::Display for JobFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.job_name, self.status)?;
        if let Some(secondary) = self.secondary_status.as_deref().filter(|s| *s != self.status) {
            write!(f, " ({secondary})")?;
        }
        if let Some(reason) = &self.reason {
            write!(f, ": {}", reason.trim_end())?;
        }
        if !self.last_log_lines.is_empty() {
            write!(f, "\nlast log lines:")?;
            for line in &self.last_log_lines {
                write!(f, "\n  {line}")?;
            }
        }
        if let Some(error) = &self.logs_error {
            write!(f, "\nlog lines are missing: {error}")?;
        }
        if !self.see_more.is_empty() {
            write!(f, "\nmore: {}", self.see_more)?;
        }
        if let Some(url) = &self.console_url {
            write!(f, "\nconsole: {url}")?;
        }
        Ok(())
    }
}

#[cfg(all(test, feature = "control-plane"))]
mod tests {
    use super::*;

    #[test]
    fn exit_code_is_read_from_the_reason() {
        for (reason, code) in [
            ("AlgorithmError: , exit code: 2", Some(2)),
            ("ExecuteUserScriptError:\nExitCode 137\nErrorMessage \"\"", Some(137)),
            ("exit status -9", Some(-9)),
            ("ClientError: no such bucket", None),
            ("exit code unknown", None),
        ] {
            assert_eq!(JobFailure::exit_code_in(reason), code, "{reason}");
        }
    }
}
