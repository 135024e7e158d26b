//! A command: a program and its arguments.

use std::fmt;

/// A program and its arguments; no shell takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::local::engines) struct CommandLine(Vec<String>);

impl CommandLine {
    pub(in crate::local::engines) fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(words.into_iter().map(Into::into).collect())
    }

    /// The same with one more argument.
    pub(super) fn and(&self, argument: &str) -> Self {
        Self(self.0.iter().cloned().chain([argument.to_owned()]).collect())
    }

    /// The same with these arguments.
    pub(super) fn and_all(&self, arguments: &[String]) -> Self {
        Self(self.0.iter().chain(arguments).cloned().collect())
    }

    pub(super) fn program(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    pub(super) fn arguments(&self) -> &[String] {
        self.0.get(1..).unwrap_or_default()
    }

    /// Splits a text at white space; quotes, single or double, keep a word together, and a backslash in double quotes or
    /// outside takes the next character as it is.
    pub(super) fn parse(text: &str) -> Result<Self, BadCommand> {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let mut quote = None;
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match (c, quote) {
                ('\\', None | Some('"')) => {
                    let next = chars.next().ok_or(BadCommand("it ends with a backslash"))?;
                    word.get_or_insert_default().push(next);
                }
                (c, Some(open)) if c == open => quote = None,
                ('\'' | '"', None) => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                (c, None) if c.is_whitespace() => words.extend(word.take()),
                (c, _) => word.get_or_insert_default().push(c),
            }
        }
        if quote.is_some() {
            return Err(BadCommand("a quote is not closed"));
        }
        words.extend(word);
        match words.first() {
            Some(program) if !program.is_empty() => Ok(Self(words)),
            _ => Err(BadCommand("it names no program")),
        }
    }
}

/// Why a text is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadCommand(&'static str);

impl fmt::Display for BadCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_and_quotes() {
        let words = |text: &str| CommandLine::parse(text).map(|command| command.0);
        assert_eq!(words("python3 -u  app.py").unwrap(), ["python3", "-u", "app.py"]);
        assert_eq!(
            words(r#"sh -c 'echo "hi"' "a b"c '' "\"""#).unwrap(),
            ["sh", "-c", "echo \"hi\"", "a bc", "", "\""]
        );
        assert_eq!(words(r"a\ b").unwrap(), ["a b"]);
        for bad in ["", "  ", "'open", "a \\", "''"] {
            assert!(words(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn quoted_words_survive(words in proptest::collection::vec("[^\\PC']{1,8}", 1..6)) {
            let text: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            prop_assert_eq!(CommandLine::parse(&text.join(" ")), Ok(CommandLine(words)));
        }

        #[test]
        fn any_text_is_safe(text in "\\PC{0,40}") {
            let _ = CommandLine::parse(&text);
        }
    }
}
