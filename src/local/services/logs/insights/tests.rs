use proptest::prelude::*;

use super::*;
use crate::local::LocalBackend;

fn record(at: i64, message: &str) -> Record<'_> {
    Record {
        group: "g",
        stream: if at % 2 == 0 { "even" } else { "odd" },
        at: (at * 60_000, 1),
        ingested: 0,
        message,
        json: serde_json::from_str(message).ok().filter(Value::is_object),
        named: BTreeMap::new(),
    }
}

const EVENTS: [&str; 4] = [
    r#"{"level": "INFO", "ms": 5, "user": {"name": "ann"}}"#,
    r#"{"level": "ERROR", "ms": 20, "user": {"name": "bob"}}"#,
    "plain text took 7 ms for carl",
    r#"{"level": "ERROR", "ms": 100}"#,
];

fn run(text: &str) -> Vec<Row> {
    let backend = LocalBackend::new();
    let records = EVENTS.iter().zip(0..).map(|(message, at)| record(at, message)).collect();
    Query::parse(text).unwrap().run(backend.core(), records, 100).0
}

/// The values of a row without the pointer that each row has.
fn values(rows: &[Row]) -> Vec<Vec<&str>> {
    let shown = |row| row_values(row);
    rows.iter().map(shown).collect()
}

fn row_values(row: &Row) -> Vec<&str> {
    row.iter().filter(|(name, _)| name != "@ptr").map(|(_, value)| value.as_str()).collect()
}

#[test]
fn events_are_filtered_sorted_and_shown() {
    let rows = run(
        "fields @timestamp, user.name as who | filter level = 'ERROR' or @message like /took [0-9]+/ | sort @timestamp asc",
    );
    let expected =
        [vec!["1970-01-01 00:01:00.000", "bob"], vec!["1970-01-01 00:02:00.000"], vec!["1970-01-01 00:03:00.000"]];
    assert_eq!(values(&rows), expected);
    assert_eq!(values(&run("fields ms | filter ms >= 20 | sort ms desc | limit 1")), [["100"]]);
    assert_eq!(values(&run("fields ms | filter level in [\"INFO\", \"x\"]")), [["5"]]);
    assert_eq!(values(&run("fields ms | filter ispresent(user.name) and not (user.name = \"ann\")")), [["20"]]);
    assert_eq!(values(&run("display @logStream | filter @message not like \"level\"")), [["even"]]);
    assert_eq!(run("limit 10")[0][0], ("@timestamp".to_owned(), "1970-01-01 00:03:00.000".to_owned()), "newest first");
    assert_eq!(run("fields level | dedup level").len(), 3);
}

#[test]
fn text_is_parsed() {
    let rows = run("parse @message \"took * ms for *\" as ms2, who | filter ispresent(who) | display who, ms2");
    assert_eq!(values(&rows), [["carl", "7"]]);
    let rows = run("parse @message /took (?<n>[0-9]+)/ | filter n > 6 | display n");
    assert_eq!(values(&rows), [["7"]]);
}

#[test]
fn events_are_counted() {
    assert_eq!(values(&run("stats count(*)")), [["4"]]);
    let rows =
        run("filter ispresent(ms) | stats count(*) as n, sum(ms), avg(ms) as mean, max(ms) by level | sort n desc");
    assert_eq!(values(&rows), [["ERROR", "2", "120", "60", "100"], ["INFO", "1", "5", "5", "5"]]);
    assert_eq!(rows[0][2].0, "sum(ms)");
    let rows = run("stats count_distinct(@logStream) by bin(2m)");
    assert_eq!(values(&rows), [["1970-01-01 00:00:00.000", "2"], ["1970-01-01 00:02:00.000", "2"]]);
}

#[test]
fn what_is_not_supported_is_refused() {
    for query in [
        "fields concat(a, b)",
        "filter",
        "filter a",
        "filter (a = 1",
        "filter a like b",
        "filter a = 1 b",
        "stats pct(ms, 95)",
        "stats sum(*)",
        "stats count(*) by bin(5x)",
        "stats count(*) | filter a = 1",
        "pattern @message",
        "limit 0",
        "limit 10001",
        "sort",
        "parse @message \"a\" as b",
        "parse @message /(/",
    ] {
        let error = Query::parse(query).err().unwrap_or_else(|| panic!("{query}"));
        assert_eq!(error.code, "MalformedQueryException");
        assert!(error.members["queryCompileError"]["location"]["endCharOffset"].as_u64().unwrap() > 0, "{query}");
    }
}

proptest! {
    #[test]
    fn no_query_makes_it_panic(
        text in "\\PC{0,50}",
        built in "(fields|filter|stats|sort|parse|limit|display|dedup)( |[(]|[)]|=|@message|like|/a/|\"x *\"|as|by|bin[(]1m[)]|count[(][*][)]|not|and|,|[|]|1|\\[|\\]|in){0,12}",
    ) {
        let _ = Query::parse(&text);
        if Query::parse(&built).is_ok() {
            run(&built);
        }
    }
}
