//! What S3 adds to configurations: the identifiers of rules that came without one.

use crate::local::s3::checksum::{hex, sha256};

/// Adds to each rule of a valid document what it lacks; `number` gives a new one each time.
pub(super) fn complete(query: &str, text: &str, mut number: impl FnMut() -> u64) -> String {
    let mut id = |name: &str| {
        let digest = hex(&sha256(&number().to_be_bytes())[..18]);
        format!("<{name}>{digest}</{name}>")
    };
    match query {
        "notification" => {
            let elements = ["TopicConfiguration", "QueueConfiguration", "CloudFunctionConfiguration"];
            elements.iter().fold(text.to_owned(), |text, element| with_child(&text, element, "Id", || id("Id")))
        }
        "lifecycle" | "replication" => with_child(text, "Rule", "ID", || id("ID")),
        "encryption" => {
            with_child(text, "Rule", "BucketKeyEnabled", || "<BucketKeyEnabled>false</BucketKeyEnabled>".to_owned())
        }
        _ => text.to_owned(),
    }
}

/// Gives each element of a name a child, unless it has one. The elements hold no comments or sections of text that
/// could look like tags, or are left as they are.
fn with_child(text: &str, element: &str, child: &str, mut make: impl FnMut() -> String) -> String {
    if text.contains("<!") {
        return text.to_owned();
    }
    let (open, close, child) = (format!("<{element}>"), format!("</{element}>"), format!("<{child}>"));
    let mut completed = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(&open) {
        let Some((content, behind)) = after.split_once(&close) else { break };
        completed.push_str(before);
        completed.push_str(&open);
        completed.push_str(content);
        if !content.contains(&child) {
            completed.push_str(&make());
        }
        completed.push_str(&close);
        rest = behind;
    }
    completed.push_str(rest);
    completed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_rule_gets_what_it_lacks() {
        let text = "<A><Rule><ID>a</ID></Rule><Rule><Status>Enabled</Status></Rule></A>";
        let mut made = 0;
        let completed = with_child(text, "Rule", "ID", || {
            made += 1;
            format!("<ID>{made}</ID>")
        });
        assert_eq!(completed, "<A><Rule><ID>a</ID></Rule><Rule><Status>Enabled</Status><ID>1</ID></Rule></A>");
        assert_eq!(complete("cors", text, || 1), text);
        assert_eq!(complete("lifecycle", text, || 1).matches("<ID>").count(), 2);
    }

    proptest! {
        #[test]
        fn what_has_all_stays(text in "(<Rule>|</Rule>|<ID>|x|<!--){0,12}") {
            let once = complete("lifecycle", &text, || 1);
            prop_assert_eq!(complete("lifecycle", &once, || 2), once);
        }
    }
}
