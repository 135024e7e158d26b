//! SelectObjectContent: a query over one object's records.

mod json;
mod records;
mod sql;

use bytes::Bytes;
use s3s::dto::SelectObjectContentRequest;
use s3s::{S3Error, S3ErrorCode, S3Result};

use json::Json;
use records::{Input, Output};
use sql::Query;

/// What a query gives, and how much it read.
pub(super) struct Selected {
    pub(super) records: Vec<u8>,
    pub(super) scanned: usize,
    pub(super) processed: usize,
}

/// Runs a query over an object's content.
pub(super) fn select(request: &SelectObjectContentRequest, content: &Bytes) -> S3Result<Selected> {
    if request.expression_type.as_str() != "SQL" {
        return Err(refusal(
            "InvalidExpressionType",
            "The ExpressionType is invalid. Only SQL expressions are supported.",
        ));
    }
    let query = Query::parse(&request.expression).map_err(|why| refusal("ParseSelectFailure", &why))?;
    let input = Input::of(&request.input_serialization)?;
    let output = Output::of(&request.output_serialization)?;
    let text = input.unpack(content)?;
    let rows = query.run(input.records(&text)?.into_iter());
    let mut records = Vec::new();
    for row in rows {
        output.write(&row, &mut records);
    }
    Ok(Selected { records, scanned: content.len(), processed: text.len() })
}

/// An error of the query or of the data.
fn refusal(code: &'static str, message: &str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message.to_owned());
    error.set_status_code(http::StatusCode::BAD_REQUEST);
    error
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PEOPLE: &str = "{\"name\": \"ann\", \"age\": 30, \"tags\": [\"a\", \"b\"]}\n{\"name\": \"bob\", \"age\": 5}\n\
                          {\"name\": \"carl\", \"age\": null}";

    fn rows(query: &str, records: Vec<Json>) -> Vec<String> {
        let rows = Query::parse(query).unwrap_or_else(|why| panic!("{query}: {why}")).run(records.into_iter());
        rows.iter().map(ToString::to_string).collect()
    }

    fn of_json(query: &str) -> Vec<String> {
        rows(query, records::json_values(PEOPLE).unwrap())
    }

    #[test]
    fn records_are_chosen_and_projected() {
        for (query, expected) in [
            ("SELECT name FROM S3Object", vec!["{\"name\":\"ann\"}", "{\"name\":\"bob\"}", "{\"name\":\"carl\"}"]),
            ("select s.name as who from s3object s where s.age > 10", vec!["{\"who\":\"ann\"}"]),
            ("SELECT s.age + 1, 'x' FROM S3Object[*] AS s LIMIT 1", vec!["{\"_1\":31,\"_2\":\"x\"}"]),
            (
                "SELECT COUNT(*), SUM(age), AVG(age), MIN(age), MAX(name) FROM S3Object",
                vec!["{\"_1\":3,\"_2\":35,\"_3\":17.5,\"_4\":5,\"_5\":\"carl\"}"],
            ),
            ("SELECT COUNT(*) AS n FROM S3Object WHERE age IS NULL OR name LIKE 'a%'", vec!["{\"n\":2}"]),
            ("SELECT * FROM S3Object[*].tags[*] t", vec!["{\"_1\":\"a\"}", "{\"_1\":\"b\"}", "{}", "{}"]),
            ("SELECT s.tags[1] FROM S3Object s WHERE s.name IN ('ann', 'zoe')", vec!["{\"_1\":\"b\"}"]),
            (
                "SELECT UPPER(name) u FROM S3Object WHERE NOT (age BETWEEN 1 AND 10) AND name <> 'carl'",
                vec!["{\"u\":\"ANN\"}"],
            ),
            ("SELECT CAST(age AS STRING) || 'y' FROM S3Object WHERE name = 'bob'", vec!["{\"_1\":\"5y\"}"]),
            ("SELECT COALESCE(s.none, 'd') FROM S3Object s WHERE CHAR_LENGTH(s.name) = 4", vec!["{\"_1\":\"d\"}"]),
        ] {
            assert_eq!(of_json(query), expected, "{query}");
        }
        assert_eq!(of_json("SELECT * FROM S3Object")[0], "{\"name\":\"ann\",\"age\":30,\"tags\":[\"a\",\"b\"]}");
    }

    #[test]
    fn what_is_no_query_is_refused() {
        for bad in
            ["", "SELECT", "SELECT * FROM t", "SELECT a FROM S3Object WHERE", "SELECT a, FROM S3Object", "DELETE"]
        {
            assert!(Query::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(text in "SELECT (\\*|a|COUNT[(]|CAST[(]|[(]|[)]|,| |'|s[.]a|[0-9]|AS|\\PC){0,8} FROM S3Object( WHERE| LIMIT|\\[|\\]|a|=|LIKE|IN| |NOT|'x'|1|\\PC){0,8}") {
            if let Ok(query) = Query::parse(&text) {
                query.run(records::json_values(PEOPLE).unwrap().into_iter());
            }
        }

        #[test]
        fn no_data_makes_it_panic(text in "(a|,|\"|\n|\\{|\\}|:|1|\\PC){0,20}") {
            let _ = records::json_values(&text);
        }
    }
}
