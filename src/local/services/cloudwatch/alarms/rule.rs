//! Rules of composite alarms: `ALARM("a") AND NOT (OK(b) OR INSUFFICIENT_DATA(c))`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{State, evaluation, text};
use crate::local::time::date_time_of;

/// How deep a rule may be nested, and how many alarms it may name.
const MAX_DEPTH: usize = 50;
const MAX_ALARMS: usize = 100;

#[derive(Debug, PartialEq)]
pub(super) enum Rule {
    Always(bool),
    /// The state and the alarm, by name or ARN.
    Is(&'static str, String),
    Not(Box<Rule>),
    All(Vec<Rule>),
    Any(Vec<Rule>),
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Rule {
    /// Reads a rule; the text says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: text, depth: 0 };
        let rule = parser.any()?;
        if !parser.rest.trim().is_empty() {
            return Err(parser.error());
        }
        if rule.alarms().len() > MAX_ALARMS {
            return Err(format!("AlarmRule must not refer to more than {MAX_ALARMS} alarms"));
        }
        Ok(rule)
    }

    /// The alarms that it names.
    pub(super) fn alarms(&self) -> Vec<&str> {
        match self {
            Self::Always(_) => Vec::new(),
            Self::Is(_, alarm) => vec![alarm],
            Self::Not(inner) => inner.alarms(),
            Self::All(rules) | Self::Any(rules) => rules.iter().flat_map(Self::alarms).collect(),
        }
    }

    fn holds(&self, state: &impl Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::Always(holds) => *holds,
            Self::Is(wanted, alarm) => state(alarm).is_some_and(|state| state == *wanted),
            Self::Not(inner) => !inner.holds(state),
            Self::All(rules) => rules.iter().all(|rule| rule.holds(state)),
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(state)),
        }
    }
}

impl Parser<'_> {
    fn error(&self) -> String {
        let rest: String = self.rest.trim().chars().take(20).collect();
        match rest.is_empty() {
            true => "AlarmRule is incomplete".to_owned(),
            false => format!("AlarmRule contains unexpected text: {rest}"),
        }
    }

    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        let Some(tail) = rest.strip_prefix(token) else { return false };
        let word = token.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if word && tail.starts_with(|next: char| next.is_alphanumeric() || next == '_') {
            return false;
        }
        self.rest = tail;
        true
    }

    fn any(&mut self) -> Result<Rule, String> {
        let mut rules = vec![self.all()?];
        while self.take("OR") {
            rules.push(self.all()?);
        }
        Ok(if rules.len() == 1 { rules.remove(0) } else { Rule::Any(rules) })
    }

    fn all(&mut self) -> Result<Rule, String> {
        let mut rules = vec![self.one()?];
        while self.take("AND") {
            rules.push(self.one()?);
        }
        Ok(if rules.len() == 1 { rules.remove(0) } else { Rule::All(rules) })
    }

    fn one(&mut self) -> Result<Rule, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("AlarmRule is nested too deeply".to_owned());
        }
        let rule = self.inner();
        self.depth -= 1;
        rule
    }

    fn inner(&mut self) -> Result<Rule, String> {
        if self.take("NOT") {
            return Ok(Rule::Not(Box::new(self.one()?)));
        }
        if self.take("(") {
            let inner = self.any()?;
            return if self.take(")") { Ok(inner) } else { Err(self.error()) };
        }
        for (word, holds) in [("TRUE", true), ("FALSE", false)] {
            if self.take(word) {
                return Ok(Rule::Always(holds));
            }
        }
        for state in ["ALARM", "OK", "INSUFFICIENT_DATA"] {
            if self.take(state) {
                return if self.take("(") { Ok(Rule::Is(state, self.alarm()?)) } else { Err(self.error()) };
            }
        }
        Err(self.error())
    }

    fn alarm(&mut self) -> Result<String, String> {
        let rest = self.rest.trim_start();
        let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''));
        let found = match quote {
            Some(quote) => rest[1..].split_once(quote),
            None => rest.find(')').map(|end| (rest[..end].trim(), &rest[end..])),
        };
        let (alarm, tail) = found.filter(|(alarm, _)| !alarm.is_empty()).ok_or_else(|| self.error())?;
        let alarm = alarm.to_owned();
        self.rest = tail;
        if self.take(")") { Ok(alarm) } else { Err(self.error()) }
    }
}

/// The state that a composite alarm comes to, if it is another one.
pub(super) fn evaluate(alarm: &Value, alarms: &BTreeMap<String, Value>, now: i64) -> Option<State> {
    let rule = Rule::parse(text(alarm, "AlarmRule")).ok()?;
    let find = |name: &str| alarms.get(name).or_else(|| alarms.values().find(|other| other["AlarmArn"] == name));
    let state = |name: &str| find(name).map(|alarm| text(alarm, "StateValue").to_owned());
    let value = if rule.holds(&state) { "ALARM" } else { "OK" };
    if alarm["StateValue"] == value {
        return None;
    }
    // The alarm that changed last is what triggered the change.
    let changed = |alarm: &&Value| (alarm["StateTransitionedTimestamp"].as_f64().unwrap_or_default() * 1000.0) as i64;
    let mut children: Vec<&Value> = rule.alarms().into_iter().filter_map(find).collect();
    children.sort_by_key(changed);
    let Some(last) = children.last() else {
        return Some(State { value: value.to_owned(), reason: "The rule is constant".to_owned(), data: None });
    };
    let at = changed(last).min(now);
    let (arn, child_state) = (text(last, "AlarmArn"), text(last, "StateValue"));
    let reason = format!("{arn} transitioned to {child_state} at {}", long_date(at));
    let data = json!({
        "triggeringAlarms": [{"arn": arn, "state": {"value": child_state, "timestamp": evaluation::date(at)}}],
    });
    Some(State { value: value.to_owned(), reason, data: Some(data) })
}

/// Such as `Saturday 31 January, 2026 08:05:09 UTC`.
fn long_date(millis: i64) -> String {
    let time = date_time_of(millis);
    match time::OffsetDateTime::from_unix_timestamp(millis.div_euclid(1000)) {
        Ok(date) => {
            let (weekday, month) = (date.weekday(), date.month());
            format!("{weekday} {:02} {month}, {} {} UTC", date.day(), date.year(), &time[11..19])
        }
        Err(_) => time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rules_are_read_and_hold() {
        let rule = Rule::parse("ALARM(\"a b\") AND (NOT OK(c) OR INSUFFICIENT_DATA('d')) OR FALSE").unwrap();
        assert_eq!(rule.alarms(), ["a b", "c", "d"]);
        let state = |of_a: &'static str, of_c: &'static str| {
            move |alarm: &str| {
                Some(match alarm {
                    "a b" => of_a.to_owned(),
                    _ => of_c.to_owned(),
                })
            }
        };
        assert!(rule.holds(&state("ALARM", "ALARM")));
        assert!(!rule.holds(&state("OK", "ALARM")) && !rule.holds(&state("ALARM", "OK")));
        assert!(!Rule::parse("ALARM(gone)").unwrap().holds(&|_: &str| None));
        for bad in ["", "ALARM", "ALARM()", "ALARM(a", "ALARM(a) b", "a", "TRUE AND", "(TRUE", "ALARM(\"a)"] {
            assert!(Rule::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(long_date(1_769_846_709_042), "Saturday 31 January, 2026 08:05:09 UTC");
    }

    proptest! {
        #[test]
        fn no_rule_makes_it_panic(text in "(ALARM[(]|OK[(]|[)]|[(]|a|\"| |AND|OR|NOT|TRUE|\\PC){0,16}") {
            let _ = Rule::parse(&text);
        }
    }
}
