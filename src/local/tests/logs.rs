use std::time::Duration;

use aws_sdk_cloudwatchlogs::operation::get_log_events::GetLogEventsOutput;
use aws_sdk_cloudwatchlogs::types::{InputLogEvent, OrderBy};

use super::support::{Aws, refusal};
use crate::local::LocalClock;
use crate::local::time::millis;

fn invalid(message: &str) -> (String, String) {
    ("InvalidParameterException".to_owned(), message.to_owned())
}

fn missing(what: &str) -> (String, String) {
    ("ResourceNotFoundException".to_owned(), format!("The specified log {what} does not exist."))
}

fn messages(page: &GetLogEventsOutput) -> Vec<&str> {
    page.events().iter().map(|event| event.message().unwrap()).collect()
}

/// A backend with the stream `s` of group `g`, and the time now.
async fn stream() -> (Aws, i64) {
    let aws = Aws::with_clock(LocalClock::manual());
    aws.logs.create_log_group().log_group_name("g").send().await.unwrap();
    aws.logs.create_log_stream().log_group_name("g").log_stream_name("s").send().await.unwrap();
    let now = millis(aws.backend.clock().now());
    (aws, now)
}

async fn put(aws: &Aws, stream: &str, events: &[(i64, &str)]) -> Option<(Option<i32>, Option<i32>)> {
    let event = |(at, text): &(i64, &str)| InputLogEvent::builder().timestamp(*at).message(*text).build().unwrap();
    let put = aws.logs.put_log_events().log_group_name("g").log_stream_name(stream);
    let answer = put.set_log_events(Some(events.iter().map(event).collect())).send().await.unwrap();
    answer
        .rejected_log_events_info()
        .map(|info| (info.too_old_log_event_end_index(), info.too_new_log_event_start_index()))
}

#[tokio::test]
async fn a_stream_is_read_forward_until_the_token_repeats() {
    let (aws, now) = stream().await;
    let texts = ["0", "1", "2", "3", "4"];
    let events: Vec<_> = texts.iter().map(|text| (now, *text)).collect();
    put(&aws, "s", &events).await;
    let get = || aws.logs.get_log_events().log_group_name("g").log_stream_name("s").start_from_head(true).limit(2);
    let mut page = get().send().await.unwrap();
    let mut read = messages(&page).join("");
    loop {
        let token = page.next_forward_token().unwrap().to_owned();
        page = get().next_token(&token).send().await.unwrap();
        read += &messages(&page).join("");
        if page.next_forward_token() == Some(&token) {
            break;
        }
    }
    assert_eq!(read, "01234");
    let end = page.next_forward_token().unwrap();
    put(&aws, "s", &[(now, "5")]).await;
    let page = get().next_token(end).send().await.unwrap();
    assert_eq!(messages(&page), ["5"], "the last token finds what came later");

    let back = get().next_token(page.next_backward_token().unwrap()).send().await.unwrap();
    assert_eq!(messages(&back), ["3", "4"]);
    let back = get().next_token(back.next_backward_token().unwrap()).send().await.unwrap();
    assert_eq!(messages(&back), ["1", "2"]);
}

#[tokio::test]
async fn without_start_from_head_the_newest_come_first() {
    let (aws, now) = stream().await;
    put(&aws, "s", &[(now, "a"), (now + 1, "b"), (now + 2, "c")]).await;
    let get = || aws.logs.get_log_events().log_group_name("g").log_stream_name("s").limit(2);
    let page = get().send().await.unwrap();
    assert_eq!(messages(&page), ["b", "c"]);
    let back = get().next_token(page.next_backward_token().unwrap()).send().await.unwrap();
    assert_eq!(messages(&back), ["a"]);
    let end = get().next_token(back.next_backward_token().unwrap()).send().await.unwrap();
    assert!(end.events().is_empty());
    assert_eq!(end.next_backward_token(), back.next_backward_token());
    let forward = get().next_token(page.next_forward_token().unwrap()).send().await;
    assert_eq!(refusal(forward).0, "InvalidParameterException", "a forward token requires startFromHead");
}

#[tokio::test]
async fn times_bound_what_is_read() {
    let (aws, now) = stream().await;
    put(&aws, "s", &[(now, "a"), (now + 1, "b"), (now + 2, "c")]).await;
    let get = || aws.logs.get_log_events().log_group_name("g").log_stream_name("s");
    for head in [true, false] {
        let page = get().start_from_head(head).start_time(now + 1).end_time(now + 2).send().await.unwrap();
        assert_eq!(messages(&page), ["b"], "the start is included, the end is not");
        let none = get().start_from_head(head).start_time(now + 10).send().await.unwrap();
        assert!(
            none.events().is_empty() && none.next_forward_token().is_some() && none.next_backward_token().is_some()
        );
    }
    let empty = get().start_from_head(true).start_time(now + 10).send().await.unwrap();
    put(&aws, "s", &[(now + 10, "late")]).await;
    let page = get().start_from_head(true).start_time(now + 10).next_token(empty.next_forward_token().unwrap());
    assert_eq!(messages(&page.send().await.unwrap()), ["late"]);
}

#[tokio::test]
async fn a_page_holds_a_megabyte() {
    let (aws, now) = stream().await;
    let long = "x".repeat(400_000);
    for _ in 0..4 {
        put(&aws, "s", &[(now, &long)]).await;
    }
    let get = || aws.logs.get_log_events().log_group_name("g").log_stream_name("s").start_from_head(true);
    let page = get().send().await.unwrap();
    assert_eq!(page.events().len(), 2);
    let page = get().next_token(page.next_forward_token().unwrap()).send().await.unwrap();
    assert_eq!(page.events().len(), 2);
}

#[tokio::test]
async fn put_keeps_what_is_neither_too_old_nor_too_new() {
    let (aws, now) = stream().await;
    let day = 86_400_000;
    let rejected = put(&aws, "s", &[(now - 15 * day, "old"), (now, "kept"), (now + day, "new")]).await;
    assert_eq!(rejected, Some((Some(1), Some(2))));
    assert_eq!(put(&aws, "s", &[(now, "also")]).await, None);
    assert_eq!(aws.lines("g").await, ["kept", "also"]);
    let event = |at: i64, text: &str| InputLogEvent::builder().timestamp(at).message(text).build().unwrap();
    let put = || aws.logs.put_log_events().log_group_name("g").log_stream_name("s");
    let disorder = put().log_events(event(now, "b")).log_events(event(now - 1, "a")).send().await;
    assert_eq!(
        refusal(disorder),
        invalid("Log events in a single PutLogEvents request must be in chronological order.")
    );
    let large = put().log_events(event(now, &"x".repeat(1_048_551))).send().await;
    assert_eq!(refusal(large), invalid("Upload too large: 1048577 bytes exceeds limit of 1048576"));
    put().log_events(event(now, &"x".repeat(1_048_550))).send().await.unwrap();
}

#[tokio::test]
async fn groups_and_streams_are_found_made_and_deleted() {
    let (aws, now) = stream().await;
    let again = aws.logs.create_log_group().log_group_name("g").send().await;
    assert_eq!(
        refusal(again),
        ("ResourceAlreadyExistsException".into(), "The specified log group already exists".into())
    );
    let again = aws.logs.create_log_stream().log_group_name("g").log_stream_name("s").send().await;
    assert_eq!(
        refusal(again),
        ("ResourceAlreadyExistsException".into(), "The specified log stream already exists".into())
    );
    for (name, at) in [("job/b", 5), ("job/a", 9), ("x", 7)] {
        aws.logs.create_log_stream().log_group_name("g").log_stream_name(name).send().await.unwrap();
        put(&aws, name, &[(now + at, "line")]).await;
    }
    let describe = || aws.logs.describe_log_streams().log_group_name("g");
    let names = |page: &aws_sdk_cloudwatchlogs::operation::describe_log_streams::DescribeLogStreamsOutput| {
        page.log_streams().iter().map(|s| s.log_stream_name().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&describe().send().await.unwrap()), ["job/a", "job/b", "s", "x"]);
    assert_eq!(
        names(&describe().log_stream_name_prefix("job/").descending(true).send().await.unwrap()),
        ["job/b", "job/a"]
    );
    let by_time = describe().order_by(OrderBy::LastEventTime).descending(true);
    assert_eq!(names(&by_time.clone().send().await.unwrap()), ["job/a", "x", "job/b", "s"]);
    let both = by_time.log_stream_name_prefix("job/").send().await;
    assert_eq!(refusal(both), invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    let first = describe().limit(3).send().await.unwrap();
    let second = describe().limit(3).next_token(first.next_token().unwrap()).send().await.unwrap();
    assert_eq!((names(&second), second.next_token()), (vec!["x".to_owned()], None));
    assert_eq!(refusal(describe().next_token("%").send().await), invalid("The specified nextToken is invalid."));
    let large = refusal(describe().limit(51).send().await);
    assert_eq!(
        large.1,
        "1 validation error detected: Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50"
    );
    let groups = aws.logs.describe_log_groups().log_group_name_prefix("g").send().await.unwrap();
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:g:*";
    assert_eq!((groups.log_groups().len(), groups.log_groups()[0].arn()), (1, Some(arn)));

    aws.logs.delete_log_stream().log_group_name("g").log_stream_name("x").send().await.unwrap();
    let gone = aws.logs.get_log_events().log_group_name("g").log_stream_name("x").send().await;
    assert_eq!(refusal(gone), missing("stream"));
    aws.logs.delete_log_group().log_group_name("g").send().await.unwrap();
    assert_eq!(refusal(describe().send().await), missing("group"));
    assert_eq!(refusal(aws.logs.delete_log_group().log_group_name("g").send().await), missing("group"));
}

#[tokio::test]
async fn events_of_several_streams_are_filtered() {
    let (aws, now) = stream().await;
    aws.logs.create_log_stream().log_group_name("g").log_stream_name("t").send().await.unwrap();
    put(&aws, "s", &[(now, "INFO a"), (now + 2, "ERROR b")]).await;
    put(&aws, "t", &[(now + 1, "ERROR c"), (now + 3, "INFO d")]).await;
    assert_eq!(aws.lines("g").await, ["INFO a", "ERROR c", "ERROR b", "INFO d"]);
    let filter = || aws.logs.filter_log_events().log_group_name("g");
    let first = filter().filter_pattern("ERROR").limit(1).send().await.unwrap();
    assert_eq!(first.events()[0].message(), Some("ERROR c"));
    let second =
        filter().filter_pattern("ERROR").limit(1).next_token(first.next_token().unwrap()).send().await.unwrap();
    assert_eq!((second.events()[0].log_stream_name(), second.next_token()), (Some("s"), None));
    let named = filter().log_stream_names("t").start_time(now + 2).send().await.unwrap();
    assert_eq!(named.events().len(), 1);
}

#[tokio::test]
async fn a_training_jobs_log_grows_while_it_runs() {
    let aws = Aws::new();
    aws.train("logged").send().await.unwrap();
    let group = "/aws/sagemaker/TrainingJobs";
    let early = aws.logs.describe_log_streams().log_group_name(group).send().await;
    assert_eq!(refusal(early), missing("group"), "the group appears with the first line");
    let job = aws.ended("logged").await;
    let streams =
        aws.logs.describe_log_streams().log_group_name(group).log_stream_name_prefix("logged/").send().await.unwrap();
    let name = streams.log_streams()[0].log_stream_name().unwrap();
    assert_eq!(name, format!("logged/algo-1-{}", job.training_start_time().unwrap().secs()));
    aws.backend.clock().pause(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn groups_have_tags_and_a_retention() {
    let aws = Aws::new();
    aws.logs.create_log_group().log_group_name("g").tags("a", "1").send().await.unwrap();
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:g";
    aws.logs.tag_resource().resource_arn(arn).tags("b", "2").send().await.unwrap();
    aws.logs.untag_resource().resource_arn(arn).tag_keys("a").send().await.unwrap();
    let tags = aws.logs.list_tags_for_resource().resource_arn(arn).send().await.unwrap();
    assert_eq!(tags.tags().unwrap().iter().collect::<Vec<_>>(), [(&"b".to_owned(), &"2".to_owned())]);
    let many = (0..51).map(|number| (number.to_string(), String::new())).collect();
    let refused = aws.logs.tag_resource().resource_arn(arn).set_tags(Some(many)).send().await;
    assert!(refused.is_err());
    let nowhere = aws.logs.list_tags_for_resource().resource_arn(format!("{arn}-none")).send().await;
    assert_eq!(refusal(nowhere), missing("group"));

    let put = |days: i32| aws.logs.put_retention_policy().log_group_name("g").retention_in_days(days).send();
    assert!(refusal(put(2).await).1.contains("Member must satisfy enum value set: [1, 3, 5, 7,"));
    put(7).await.unwrap();
    let group = || async { aws.logs.describe_log_groups().send().await.unwrap().log_groups()[0].clone() };
    assert_eq!(group().await.retention_in_days(), Some(7));
    aws.logs.create_log_stream().log_group_name("g").log_stream_name("s").send().await.unwrap();
    let now = millis(aws.backend.clock().now());
    let event = |at: i64| InputLogEvent::builder().timestamp(at).message("m").build().unwrap();
    let events = vec![event(now - 8 * 86_400_000), event(now)];
    let put = aws.logs.put_log_events().log_group_name("g").log_stream_name("s").set_log_events(Some(events));
    let answer = put.send().await.unwrap();
    assert_eq!(answer.rejected_log_events_info().unwrap().expired_log_event_end_index(), Some(1));
    assert_eq!(aws.lines("g").await, ["m"]);
    aws.logs.delete_retention_policy().log_group_name("g").send().await.unwrap();
    assert_eq!(group().await.retention_in_days(), None);
}

#[tokio::test]
async fn events_are_filtered_by_their_json() {
    let (aws, now) = stream().await;
    put(&aws, "s", &[(now, r#"{"level": "ERROR", "ms": 5}"#), (now, r#"{"level": "INFO"}"#), (now, "ERROR")]).await;
    let filter = |pattern: &str| aws.logs.filter_log_events().log_group_name("g").filter_pattern(pattern).send();
    let found = filter("{ $.level = \"ERROR\" && $.ms < 10 }").await.unwrap();
    assert_eq!(found.events().len(), 1);
    assert_eq!(filter("ERROR").await.unwrap().events().len(), 2);
    assert_eq!(refusal(filter("{ $.level = ").await).0, "InvalidParameterException");
}

#[tokio::test]
async fn insights_answers_plain_queries() {
    let (aws, now) = stream().await;
    put(&aws, "s", &[(now - 9000, "start"), (now - 5000, r#"{"ms": 5}"#), (now, r#"{"ms": 7}"#)]).await;
    let start = |query: &str, from: i64| {
        let start = aws.logs.start_query().log_group_name("g").start_time(from / 1000).end_time(now / 1000);
        start.query_string(query).send()
    };
    let results = async |query: &str, from: i64| {
        let id = start(query, from).await.unwrap().query_id().unwrap().to_owned();
        aws.logs.get_query_results().query_id(id).send().await.unwrap()
    };
    let all = results("fields @message | sort @timestamp asc", now - 10_000).await;
    assert_eq!(all.status().unwrap().as_str(), "Complete");
    let message = |row: &[aws_sdk_cloudwatchlogs::types::ResultField]| row[0].value().unwrap().to_owned();
    let messages: Vec<String> = all.results().iter().map(|row| message(row)).collect();
    assert_eq!(messages, ["start", r#"{"ms": 5}"#, r#"{"ms": 7}"#]);
    assert_eq!(all.results()[0][1].field(), Some("@ptr"));
    assert_eq!(all.statistics().unwrap().records_scanned(), 3.0);
    assert_eq!(results("stats sum(ms) as total", now - 6000).await.results()[0][0].value(), Some("12"));

    let error = start("unknown thing", now).await.unwrap_err().into_service_error();
    assert!(error.is_malformed_query_exception(), "{error:?}");
    let none = aws.logs.start_query().log_group_name("none").start_time(0).end_time(1).query_string("limit 1").send();
    let words = "Log group 'none' does not exist for account ID '123456789012' (Service: AWSLogs; Status Code: 400; ";
    assert!(refusal(none.await).1.starts_with(words));
    let queries = aws.logs.describe_queries().log_group_name("g").send().await.unwrap();
    let text = queries.queries()[0].query_string().unwrap();
    assert!(queries.queries().len() == 2 && text.starts_with("SOURCE \"g\" START="), "{text}");
    assert!(text.ends_with("999 | stats sum(ms) as total"), "{text}");
    let pointer = all.results()[1][1].value().unwrap();
    let record = aws.logs.get_log_record().log_record_pointer(pointer).send().await.unwrap();
    assert_eq!(record.log_record().unwrap()["ms"], "5");
    let bad = aws.logs.get_log_record().log_record_pointer("bm90aGluZw==").send().await;
    assert_eq!(refusal(bad).0, "InvalidParameterException");
    let id = queries.queries()[0].query_id().unwrap();
    let groups = aws.logs.list_log_groups_for_query().query_id(id).send().await.unwrap();
    assert_eq!(groups.log_group_identifiers(), ["g"]);
    let fields = aws.logs.get_log_group_fields().log_group_name("g").send().await.unwrap();
    let ms = fields.log_group_fields().iter().find(|field| field.name() == Some("ms")).unwrap();
    assert_eq!(ms.percent(), 66);
    let id = queries.queries()[0].query_id().unwrap();
    assert_eq!(refusal(aws.logs.stop_query().query_id(id).send().await).0, "InvalidParameterException");
    assert_eq!(refusal(aws.logs.get_query_results().query_id("no").send().await).0, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_filter_names_streams_that_exist() {
    let (aws, now) = stream().await;
    put(&aws, "s", &[(now, "a")]).await;
    let filter = |name: &str| aws.logs.filter_log_events().log_group_name("g").log_stream_names(name);
    assert_eq!(filter("s").send().await.unwrap().events().len(), 1);
    assert_eq!(refusal(filter("none").send().await), missing("stream"));
    assert_eq!(refusal(filter("s").log_stream_names("none").send().await), missing("stream"));
}
