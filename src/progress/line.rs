//! Text that is safe to show, and the parts of the line at the bottom.

use std::time::Duration;

/// One colour for each instance, in the order in which the Python SDK takes them: blue, magenta, green, cyan, yellow.
const COLOURS: [u8; 5] = [34, 35, 32, 36, 33];

/// The stages that a job comes through; how many there are behind it is all that can be told for sure.
const STAGES: [&[&str]; 5] = [
    &["Pending", "Starting", "LaunchingMLInstances", "PreparingTrainingStack", "Restarting"],
    &["Downloading", "DownloadingTrainingImage"],
    &["Training", "Interrupted"],
    &["Uploading", "MaxRuntimeExceeded", "MaxWaitTimeExceeded", "Stopping"],
    &["Completed", "Failed", "Stopped"],
];
const STAGE_WIDTH: usize = 4;

/// Wraps text in a colour or a style.
pub(super) fn styled(text: &str, code: u8, colour: bool) -> String {
    if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

pub(super) fn colour_of(instance: usize) -> u8 {
    COLOURS[instance % COLOURS.len()]
}

/// Without control characters: what a container logs must not move the cursor or change the title of the window.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\x1b' => {
                // Colours and the like: `ESC [ parameters letter`.
                if rest.next_if_eq(&'[').is_some() {
                    while rest.next_if(|c| !('@'..='~').contains(c)).is_some() {}
                    rest.next();
                }
            }
            '\t' => out.push_str("    "),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// A bar with one piece for each stage; full ones are behind the job.
pub(super) fn bar(status: &str) -> String {
    let stage = STAGES.iter().position(|names| names.contains(&status));
    let full = match stage {
        Some(stage) if stage + 1 == STAGES.len() => STAGES.len(),
        Some(stage) => stage,
        None => 0,
    };
    let open = STAGES.len() - full;
    "━".repeat(full * STAGE_WIDTH) + &"╌".repeat(open * STAGE_WIDTH)
}

/// `1:02:03` or `2:03`.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// The first characters, as many as there is room for.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_sequences_are_left_out() {
        assert_eq!(plain("\x1b[31mred\x1b[0m\r\tok\x07 \x1b]0;title"), "red    ok ]0;title");
        assert_eq!(plain("\x1b[2Jx\x1b"), "x");
    }

    proptest! {
        #[test]
        fn what_is_shown_has_no_control_characters(text in ".*|[\x00-\x7f]*") {
            prop_assert!(plain(&text).chars().all(|c| !c.is_control()));
        }
    }

    #[test]
    fn the_bar_grows_with_the_stages() {
        let full = |status: &str| bar(status).chars().filter(|c| *c == '━').count();
        let stages = ["Starting", "Downloading", "Training", "Uploading", "Completed"];
        assert_eq!(stages.map(full), [0, 4, 8, 12, 20]);
        assert_eq!(full("SomethingNew"), 0);
        assert_eq!(bar("Training").chars().count(), 20);
    }

    #[test]
    fn times_and_cuts() {
        assert_eq!(clock(Duration::from_secs(63)), "1:03");
        assert_eq!(clock(Duration::from_secs(3723)), "1:02:03");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("äöü", 3), "äöü");
    }
}
