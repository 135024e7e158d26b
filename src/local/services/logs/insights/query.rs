//! A query: commands that follow each other.

use std::cmp::Ordering;

use regex_lite::Regex;

use super::condition::Condition;
use super::stats::Stats;
use super::{Record, Row, malformed};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;

const MAX_LIMIT: usize = 10_000;

#[derive(Debug)]
pub(super) struct Query {
    commands: Vec<Command>,
    stats: Option<Stats>,
    sort: Vec<(String, bool)>,
    limit: Option<usize>,
    /// The fields that are shown; none for the usual ones.
    shown: Vec<String>,
    dedup: Vec<String>,
}

/// What is done to each event.
#[derive(Debug)]
enum Command {
    Filter(Condition),
    Name { field: String, name: String },
    Parse { field: String, regex: Regex, names: Vec<String> },
}

impl Query {
    pub(super) fn parse(text: &str) -> Result<Self, AwsError> {
        let mut query = Self {
            commands: Vec::new(),
            stats: None,
            sort: Vec::new(),
            limit: None,
            shown: Vec::new(),
            dedup: Vec::new(),
        };
        for command in split(text, '|') {
            let command = command.trim();
            if command.is_empty() || command.starts_with('#') {
                continue;
            }
            let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
            query.add(&word.to_lowercase(), rest.trim()).map_err(|message| malformed(&message, text, command))?;
        }
        Ok(query)
    }

    fn add(&mut self, word: &str, rest: &str) -> Result<(), String> {
        if self.stats.is_some() && !matches!(word, "sort" | "limit") {
            return Err(format!("The local backend does not support the command {word} after stats"));
        }
        match word {
            "fields" | "display" => {
                if word == "display" {
                    self.shown.clear();
                }
                for field in split(rest, ',') {
                    let (field, name) = named(field)?;
                    if field != name {
                        self.commands.push(Command::Name { field: field.to_owned(), name: name.to_owned() });
                    }
                    self.shown.push(name.to_owned());
                }
            }
            "filter" => self.commands.push(Command::Filter(Condition::parse(rest)?)),
            "parse" => self.commands.push(parse(rest)?),
            "stats" => self.stats = Some(Stats::parse(rest)?),
            "sort" => {
                let keys = split(rest, ',');
                self.sort = keys.map(sort_key).collect::<Result<_, _>>()?;
            }
            "limit" => {
                let limit = rest.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
                self.limit = Some(limit.ok_or_else(|| format!("limit must be a number from 1 to {MAX_LIMIT}"))?);
            }
            "dedup" => {
                self.dedup = split(rest, ',').map(field).collect::<Result<_, _>>()?;
            }
            other => {
                return Err(format!("unexpected symbol found: {other} is no command that the local backend supports"));
            }
        }
        Ok(())
    }

    /// The rows, and how many events matched.
    pub(super) fn run(&self, core: &Core, records: Vec<Record<'_>>, limit: usize) -> (Vec<Row>, usize) {
        let mut kept: Vec<Record<'_>> = records.into_iter().filter_map(|record| self.pass(core, record)).collect();
        let matched = kept.len();
        let limit = self.limit.unwrap_or(limit);
        if let Some(stats) = &self.stats {
            let mut rows = stats.rows(core, &kept);
            let value = |row: &Row, key: &str| row.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
            rows.sort_by(|a, b| self.order(|key| (value(a, key), value(b, key))));
            rows.truncate(limit);
            return (rows, matched);
        }
        if self.sort.is_empty() {
            kept.sort_by_key(|record| std::cmp::Reverse(record.at));
        } else {
            kept.sort_by_cached_key(|record| std::cmp::Reverse(record.at));
            kept.sort_by(|a, b| self.order(|key| (a.field(core, key), b.field(core, key))));
        }
        if !self.dedup.is_empty() {
            let mut seen = std::collections::HashSet::new();
            kept.retain(|record| {
                let key: Vec<_> = self.dedup.iter().map(|name| record.field(core, name)).collect();
                seen.insert(key)
            });
        }
        kept.truncate(limit);
        let usual = ["@timestamp".to_owned(), "@message".to_owned()];
        let shown = if self.shown.is_empty() { &usual[..] } else { &self.shown };
        let row = |record: &Record<'_>| {
            let fields = shown.iter().map(String::as_str).chain(["@ptr"]);
            fields.filter_map(|name| Some((name.to_owned(), record.field(core, name)?))).collect()
        };
        (kept.iter().map(row).collect(), matched)
    }

    fn pass<'a>(&self, core: &Core, mut record: Record<'a>) -> Option<Record<'a>> {
        for command in &self.commands {
            match command {
                Command::Filter(condition) => {
                    if !condition.matches(&|name| record.field(core, name)) {
                        return None;
                    }
                }
                Command::Name { field, name } => {
                    if let Some(value) = record.field(core, field) {
                        record.named.insert(name.clone(), value);
                    }
                }
                Command::Parse { field, regex, names } => {
                    let text = record.field(core, field).unwrap_or_default();
                    let Some(found) = regex.captures(&text) else { continue };
                    for (at, name) in names.iter().enumerate() {
                        if let Some(part) = found.get(at + 1) {
                            record.named.insert(name.clone(), part.as_str().to_owned());
                        }
                    }
                }
            }
        }
        Some(record)
    }

    fn order(&self, values: impl Fn(&str) -> (Option<String>, Option<String>)) -> Ordering {
        for (key, ascending) in &self.sort {
            let (a, b) = values(key);
            let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<f64>().ok());
            let order = match (number(&a), number(&b)) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                _ => a.cmp(&b),
            };
            if order != Ordering::Equal {
                return if *ascending { order } else { order.reverse() };
            }
        }
        Ordering::Equal
    }
}

/// Splits outside of quotes, regexes and parentheses.
pub(super) fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    let (mut quote, mut depth, mut escaped) = (None, 0usize, false);
    text.split(move |c| {
        if escaped {
            escaped = false;
            return false;
        }
        match (quote, c) {
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '/' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, c) => return c == at && depth == 0,
        }
        false
    })
}

/// A field's name, without backticks.
pub(super) fn field(text: &str) -> Result<String, String> {
    let text = text.trim();
    if let Some(name) = text.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
        return Ok(name.to_owned());
    }
    let plain = |c: char| c.is_alphanumeric() || "@._-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err(format!("\"{text}\" is no field; the local backend supports no functions here"))
}

/// `field` or `field as name`.
fn named(text: &str) -> Result<(&str, &str), String> {
    let text = text.trim();
    let (from, name) = match text.split_once(" as ") {
        Some((from, name)) => (from.trim(), name.trim()),
        None => (text, text),
    };
    field(from)?;
    field(name)?;
    Ok((from.trim_matches('`'), name.trim_matches('`')))
}

fn sort_key(text: &str) -> Result<(String, bool), String> {
    let text = text.trim();
    // A name such as `count(*)` is the column that stats has made.
    let (name, order) = match text.rsplit_once(char::is_whitespace) {
        Some((name, order)) if ["asc", "desc"].contains(&order.to_lowercase().as_str()) => (name, order.to_lowercase()),
        _ => (text, "asc".to_owned()),
    };
    let name = name.trim().trim_matches('`');
    if name.is_empty() {
        return Err("sort needs a field".to_owned());
    }
    Ok((name.to_owned(), order == "asc"))
}

/// `parse @message "a * b *" as x, y` or `parse @message /regex with (?<names>..)/`.
fn parse(text: &str) -> Result<Command, String> {
    let start = text.find(['"', '\'', '/']).ok_or("parse needs a pattern in quotes or slashes")?;
    let (source, rest) = text.split_at(start);
    let source = if source.trim().is_empty() { "@message".to_owned() } else { field(source)? };
    let quote = rest.chars().next().unwrap_or('"');
    let (pattern, names) =
        rest.get(1..).and_then(|rest| rest.split_once(quote)).ok_or("the pattern of parse has no end")?;
    let listed: Vec<String> = match names.trim().strip_prefix("as ") {
        Some(names) => names.split(',').map(field).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    let regex = if quote == '/' { pattern.to_owned() } else { glob(pattern) };
    let regex = Regex::new(&regex).map_err(|error| format!("the pattern of parse cannot be read: {error}"))?;
    let of_regex = regex.capture_names().skip(1).flatten().map(str::to_owned).collect::<Vec<_>>();
    let names = if listed.is_empty() { of_regex } else { listed };
    if names.len() != regex.captures_len() - 1 || names.is_empty() {
        return Err("parse needs as many names as its pattern has places".to_owned());
    }
    Ok(Command::Parse { field: source, regex, names })
}

/// A pattern whose `*` stand for what is taken.
fn glob(pattern: &str) -> String {
    let parts: Vec<String> = pattern.split('*').map(regex_lite::escape).collect();
    let end = if pattern.ends_with('*') { "$" } else { "" };
    format!("{}{end}", parts.join("(.*?)"))
}
