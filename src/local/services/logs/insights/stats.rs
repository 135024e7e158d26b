//! `stats`: one row for each group of events.

use std::collections::BTreeMap;

use super::query::{field, split};
use super::{Record, Row, date};
use crate::local::backend::Core;

#[derive(Debug)]
pub(super) struct Stats {
    columns: Vec<Column>,
    by: Vec<Group>,
}

#[derive(Debug)]
struct Column {
    name: String,
    function: Function,
    /// `None` for `*`.
    field: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Count,
    CountDistinct,
    Sum,
    Average,
    Minimum,
    Maximum,
}

#[derive(Debug)]
enum Group {
    Field(String),
    /// `bin(5m)`: its name and its length in milliseconds.
    Bin(String, i64),
}

impl Stats {
    /// `count(*) as n, avg(x) by @logStream, bin(5m)`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (columns, by) = text.split_once(" by ").unwrap_or((text, ""));
        let columns: Vec<Column> = split(columns, ',').map(column).collect::<Result<_, _>>()?;
        let groups = split(by, ',').filter(|part| !part.trim().is_empty());
        Ok(Self { columns, by: groups.map(group).collect::<Result<_, _>>()? })
    }

    pub(super) fn rows(&self, core: &Core, records: &[Record<'_>]) -> Vec<Row> {
        let mut groups: BTreeMap<Vec<Option<String>>, Vec<&Record<'_>>> = BTreeMap::new();
        for record in records {
            let key = self.by.iter().map(|group| group.value(core, record)).collect();
            groups.entry(key).or_default().push(record);
        }
        let row = |(key, records): (Vec<Option<String>>, Vec<&Record<'_>>)| {
            let named = self.by.iter().zip(key).filter_map(|(group, value)| Some((group.name().to_owned(), value?)));
            let values =
                self.columns.iter().filter_map(|column| Some((column.name.clone(), column.value(core, &records)?)));
            named.chain(values).collect()
        };
        groups.into_iter().map(row).collect()
    }
}

fn column(text: &str) -> Result<Column, String> {
    let text = text.trim();
    let (call, name) = match text.split_once(" as ") {
        Some((call, name)) => (call.trim(), field(name)?),
        None => (text, text.to_owned()),
    };
    let unsupported = || format!("\"{call}\" is no function that the local backend supports in stats");
    let (function, argument) = call.strip_suffix(')').and_then(|call| call.split_once('(')).ok_or_else(unsupported)?;
    let function = match function.trim().to_lowercase().as_str() {
        "count" => Function::Count,
        "count_distinct" => Function::CountDistinct,
        "sum" => Function::Sum,
        "avg" => Function::Average,
        "min" => Function::Minimum,
        "max" => Function::Maximum,
        _ => return Err(unsupported()),
    };
    let argument = argument.trim();
    let field = if argument.is_empty() || argument == "*" { None } else { Some(field(argument)?) };
    if field.is_none() && function != Function::Count {
        return Err(unsupported());
    }
    Ok(Column { name, function, field })
}

fn group(text: &str) -> Result<Group, String> {
    let text = text.trim();
    let Some(length) = text.strip_prefix("bin(").and_then(|rest| rest.strip_suffix(')')) else {
        return field(text).map(Group::Field);
    };
    let length = length.trim();
    let digits = length.find(|c: char| !c.is_ascii_digit()).unwrap_or(length.len());
    let (number, unit) = length.split_at(digits);
    let unit = match unit {
        "ms" => 1,
        "s" | "sec" | "second" | "seconds" => 1000,
        "m" | "min" | "minute" | "minutes" => 60_000,
        "h" | "hr" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return Err(format!("\"{length}\" is no length of time for bin")),
    };
    let millis = number.parse::<i64>().ok().and_then(|number| number.checked_mul(unit)).filter(|millis| *millis > 0);
    millis.map(|millis| Group::Bin(text.to_owned(), millis)).ok_or_else(|| format!("\"{length}\" is too long for bin"))
}

impl Group {
    fn name(&self) -> &str {
        match self {
            Self::Field(name) | Self::Bin(name, _) => name,
        }
    }

    fn value(&self, core: &Core, record: &Record<'_>) -> Option<String> {
        match self {
            Self::Field(name) => record.field(core, name),
            Self::Bin(_, millis) => Some(date(record.at.0.div_euclid(*millis) * millis)),
        }
    }
}

impl Column {
    fn value(&self, core: &Core, records: &[&Record<'_>]) -> Option<String> {
        let Some(name) = &self.field else { return Some(records.len().to_string()) };
        let texts = || records.iter().filter_map(|record| record.field(core, name));
        let numbers: Vec<f64> = texts().filter_map(|text| text.parse().ok()).collect();
        let fold = |pick: fn(f64, f64) -> f64| numbers.iter().copied().reduce(pick);
        let number = match self.function {
            Function::Count => return Some(texts().count().to_string()),
            Function::CountDistinct => {
                return Some(texts().collect::<std::collections::BTreeSet<_>>().len().to_string());
            }
            Function::Sum => fold(|a, b| a + b),
            Function::Average => fold(|a, b| a + b).map(|sum| sum / numbers.len() as f64),
            Function::Minimum => fold(f64::min),
            Function::Maximum => fold(f64::max),
        };
        number.map(|number| number.to_string())
    }
}
