//! Alarms, dashboards and rules of CloudWatch, over the wire.

use std::time::Duration;

use aws_smithy_types::body::SdkBody;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::support::Aws;
use crate::local::LocalClock;
use crate::local::signature::sign;
use crate::local::time::epoch;

async fn call(aws: &Aws, operation: &str, body: Value) -> (u16, Value) {
    let request = Request::post("https://monitoring.us-east-1.amazonaws.com")
        .header("x-amz-target", format!("GraniteServiceVersion20100801.{operation}"))
        .header("x-amzn-query-mode", "true");
    let answer = aws.backend.handle(sign(request).body(SdkBody::from(body.to_string())).unwrap()).await;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status.as_u16(), serde_json::from_slice(&body).unwrap_or_default())
}

async fn ok(aws: &Aws, operation: &str, body: Value) -> Value {
    let (status, answer) = call(aws, operation, body).await;
    assert_eq!(status, 200, "{operation}: {answer}");
    answer
}

async fn message(aws: &Aws, operation: &str, body: Value) -> String {
    let (status, answer) = call(aws, operation, body).await;
    assert!(status >= 400, "{operation}: {answer}");
    answer["message"].as_str().unwrap_or_default().to_owned()
}

fn alarm(name: &str) -> Value {
    json!({
        "AlarmName": name, "MetricName": "m", "Namespace": "N", "Statistic": "Average", "Period": 60,
        "EvaluationPeriods": 2, "DatapointsToAlarm": 1, "Threshold": 5, "ComparisonOperator": "GreaterThanThreshold",
    })
}

async fn state(aws: &Aws, name: &str) -> (String, String) {
    let types = ["MetricAlarm", "CompositeAlarm"];
    let answer = ok(aws, "DescribeAlarms", json!({"AlarmNames": [name], "AlarmTypes": types})).await;
    let list = if answer["MetricAlarms"] == json!([]) { "CompositeAlarms" } else { "MetricAlarms" };
    let text = |member: &str| answer[list][0][member].as_str().unwrap().to_owned();
    (text("StateValue"), text("StateReason"))
}

async fn publish(aws: &Aws, value: f64) {
    let data = json!([{"MetricName": "m", "Value": value, "Timestamp": epoch(aws.backend.clock().now())}]);
    ok(aws, "PutMetricData", json!({"Namespace": "N", "MetricData": data})).await;
}

#[tokio::test]
async fn an_alarm_follows_its_metric() {
    let aws = Aws::with_clock(LocalClock::manual());
    let wait = |seconds: u64| aws.backend.clock().advance(Duration::from_secs(seconds));
    ok(&aws, "PutMetricAlarm", alarm("a")).await;
    let described = ok(&aws, "DescribeAlarms", json!({})).await["MetricAlarms"][0].clone();
    assert_eq!(described["AlarmArn"], "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a");
    assert_eq!((&described["ActionsEnabled"], &described["OKActions"]), (&json!(true), &json!([])));
    assert_eq!(state(&aws, "a").await, ("INSUFFICIENT_DATA".into(), "Unchecked: Initial alarm creation".into()));

    publish(&aws, 6.5).await;
    let (value, reason) = state(&aws, "a").await;
    assert!(value == "ALARM" && reason.starts_with("Threshold Crossed: 1 datapoint [6.5 ("), "{reason}");
    assert!(reason.ends_with(")] was greater than the threshold (5.0)."), "{reason}");
    wait(300);
    publish(&aws, 1.0).await;
    let (value, reason) = state(&aws, "a").await;
    assert!(value == "OK" && reason.contains("out of the last 1 datapoints [1.0 ("), "{reason}");
    assert!(
        reason.ends_with("was not greater than the threshold (5.0) (minimum 2 datapoints for ALARM -> OK transition).")
    );
    wait(600);
    let expected = ("INSUFFICIENT_DATA".to_owned(), "Insufficient Data: 2 datapoints were unknown.".to_owned());
    assert_eq!(state(&aws, "a").await, expected);

    let history = ok(&aws, "DescribeAlarmHistory", json!({"AlarmName": "a", "HistoryItemType": "StateUpdate"})).await;
    let summaries: Vec<&str> = history["AlarmHistoryItems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["HistorySummary"].as_str().unwrap())
        .collect();
    let expected = [
        "Alarm updated from OK to INSUFFICIENT_DATA",
        "Alarm updated from ALARM to OK",
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
    ];
    assert_eq!(summaries, expected);
    let page = ok(&aws, "DescribeAlarmHistory", json!({"MaxRecords": 1})).await;
    assert_eq!(page["AlarmHistoryItems"].as_array().unwrap().len(), 1);
    let next = ok(&aws, "DescribeAlarmHistory", json!({"MaxRecords": 1, "NextToken": page["NextToken"]})).await;
    assert_eq!(next["AlarmHistoryItems"][0]["HistorySummary"], expected[1]);

    ok(&aws, "DeleteAlarms", json!({"AlarmNames": ["a", "never"]})).await;
    assert_eq!(ok(&aws, "DescribeAlarms", json!({})).await["MetricAlarms"], json!([]));
}

#[tokio::test]
async fn missing_values_count_as_the_alarm_says() {
    let aws = Aws::with_clock(LocalClock::manual());
    for (treatment, expected) in [("breaching", "ALARM"), ("notBreaching", "OK"), ("ignore", "INSUFFICIENT_DATA")] {
        let mut alarm = alarm(treatment);
        alarm["TreatMissingData"] = json!(treatment);
        ok(&aws, "PutMetricAlarm", alarm).await;
        assert_eq!(state(&aws, treatment).await.1, "Unchecked: Initial alarm creation");
        aws.backend.clock().advance(Duration::from_secs(60));
        assert_eq!(state(&aws, treatment).await.0, expected, "{treatment}");
    }
    let reason =
        "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as";
    assert_eq!(state(&aws, "breaching").await.1, format!("{reason} [Breaching]."));
    assert_eq!(state(&aws, "notBreaching").await.1, format!("{reason} [NonBreaching]."));

    let query = |id: &str, returned: bool| {
        let metric = json!({"Namespace": "N", "MetricName": "m"});
        json!({"Id": id, "ReturnData": returned, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}})
    };
    let math = |expression: &str| {
        json!({
            "AlarmName": "math", "EvaluationPeriods": 1, "Threshold": 15, "ComparisonOperator": "GreaterThanThreshold",
            "Metrics": [query("m", false), {"Id": "e", "Expression": expression}],
        })
    };
    ok(&aws, "PutMetricAlarm", math("m * 2")).await;
    publish(&aws, 8.0).await;
    assert_eq!(state(&aws, "math").await.0, "ALARM");
    assert!(message(&aws, "PutMetricAlarm", math("nothing * 2")).await.contains("nothing is not defined"));
    for (member, value, part) in [
        ("TreatMissingData", json!("x"), "[breaching, notBreaching, ignore, missing]"),
        ("ExtendedStatistic", json!("90"), "The value 90 for parameter ExtendedStatistic is not supported."),
        ("Period", json!(7), "multiple of 60"),
        ("DatapointsToAlarm", json!(3), "DatapointsToAlarm"),
        ("ComparisonOperator", json!("x"), "'comparisonOperator'"),
    ] {
        let mut bad = alarm("bad");
        bad[member] = value;
        let message = message(&aws, "PutMetricAlarm", bad).await;
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn states_can_be_set_and_alarms_made_of_alarms() {
    let aws = Aws::with_clock(LocalClock::manual());
    ok(&aws, "PutMetricAlarm", alarm("a")).await;
    ok(&aws, "PutMetricAlarm", alarm("b")).await;
    let composite = |rule: &str| json!({"AlarmName": "c", "AlarmRule": rule});
    ok(
        &aws,
        "PutCompositeAlarm",
        composite("ALARM(a) OR ALARM(\"arn:aws:cloudwatch:us-east-1:123456789012:alarm:b\")"),
    )
    .await;
    let unknown = message(&aws, "PutCompositeAlarm", composite("ALARM(z)")).await;
    assert_eq!(unknown, "Could not save the composite alarm as alarms [z] in the alarm rule do not exist");
    assert_eq!(state(&aws, "c").await.0, "OK");
    let set =
        |value: &str| json!({"AlarmName": "b", "StateValue": value, "StateReason": "a test", "StateReasonData": "{}"});
    ok(&aws, "SetAlarmState", set("ALARM")).await;
    assert_eq!(state(&aws, "b").await, ("ALARM".into(), "a test".into()));
    let (value, reason) = state(&aws, "c").await;
    assert!(value == "ALARM" && reason.contains("alarm:b transitioned to ALARM at "), "{reason}");
    let children = ok(&aws, "DescribeAlarms", json!({"ChildrenOfAlarmName": "c", "StateValue": "ALARM"})).await;
    assert_eq!(children["MetricAlarms"][0]["AlarmName"], "b");
    aws.backend.clock().advance(Duration::from_secs(120));
    assert_eq!((state(&aws, "b").await.0, state(&aws, "c").await.0), ("INSUFFICIENT_DATA".into(), "OK".into()));
    let bad = json!({"AlarmName": "b", "StateValue": "BAD", "StateReason": ""});
    let words = "Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]";
    assert!(message(&aws, "SetAlarmState", bad).await.ends_with(words));
    let bad = json!({"AlarmName": "b", "StateValue": "OK", "StateReason": "", "StateReasonData": "{"});
    assert!(message(&aws, "SetAlarmState", bad).await.contains("JSON"));

    ok(&aws, "DisableAlarmActions", json!({"AlarmNames": ["a", "never"]})).await;
    let found = ok(&aws, "DescribeAlarmsForMetric", json!({"MetricName": "m", "Namespace": "N"})).await;
    let enabled: Vec<&Value> =
        found["MetricAlarms"].as_array().unwrap().iter().map(|alarm| &alarm["ActionsEnabled"]).collect();
    assert_eq!(enabled, [false, true]);
    let page = ok(&aws, "DescribeAlarms", json!({"MaxRecords": 1})).await;
    let next = ok(&aws, "DescribeAlarms", json!({"MaxRecords": 1, "NextToken": page["NextToken"]})).await;
    assert_eq!(next["MetricAlarms"][0]["AlarmName"], "b");
}

#[tokio::test]
async fn dashboards_and_rules_are_kept_with_their_tags() {
    let aws = Aws::new();
    let body = "{\"widgets\": []}";
    ok(&aws, "PutDashboard", json!({"DashboardName": "d", "DashboardBody": body})).await;
    assert_eq!(ok(&aws, "GetDashboard", json!({"DashboardName": "d"})).await["DashboardBody"], body);
    let entry = ok(&aws, "ListDashboards", json!({"DashboardNamePrefix": "d"})).await["DashboardEntries"][0].clone();
    assert_eq!(
        (&entry["DashboardArn"], &entry["Size"]),
        (&json!("arn:aws:cloudwatch::123456789012:dashboard/d"), &json!(15))
    );
    let wrong = json!({"DashboardName": "d d", "DashboardBody": body});
    assert!(
        message(&aws, "PutDashboard", wrong).await.starts_with("The value for field DashboardName contains invalid")
    );
    let (_, answer) = call(&aws, "PutDashboard", json!({"DashboardName": "d", "DashboardBody": "{"})).await;
    assert!(answer["__type"].as_str().unwrap().ends_with("#DashboardInvalidInputError"));
    let (status, answer) = call(&aws, "DeleteDashboards", json!({"DashboardNames": ["d", "none"]})).await;
    assert!(status == 404 && answer["__type"].as_str().unwrap().ends_with("#DashboardNotFoundError"));
    ok(&aws, "DeleteDashboards", json!({"DashboardNames": ["d"]})).await;

    let definition = "{\"Schema\": {\"Name\": \"CloudWatchLogRule\", \"Version\": 1}}";
    let tags = json!([{"Key": "k", "Value": "v"}]);
    ok(&aws, "PutInsightRule", json!({"RuleName": "r", "RuleDefinition": definition, "Tags": tags})).await;
    let rule = ok(&aws, "DescribeInsightRules", json!({})).await["InsightRules"][0].clone();
    assert_eq!((&rule["Schema"], &rule["State"]), (&json!("CloudWatchLogRule/1"), &json!("ENABLED")));
    let disabled = ok(&aws, "DisableInsightRules", json!({"RuleNames": ["r", "none"]})).await;
    assert_eq!(disabled["Failures"][0]["FailureResource"], "none");
    let arn = json!("arn:aws:cloudwatch:us-east-1:123456789012:insight-rule/r");
    assert_eq!(ok(&aws, "ListTagsForResource", json!({"ResourceARN": arn})).await["Tags"], tags);
    ok(&aws, "UntagResource", json!({"ResourceARN": arn, "TagKeys": ["k"]})).await;
    ok(&aws, "TagResource", json!({"ResourceARN": arn, "Tags": [{"Key": "l", "Value": "w"}]})).await;
    assert_eq!(ok(&aws, "ListTagsForResource", json!({"ResourceARN": arn})).await["Tags"][0]["Key"], "l");
    ok(&aws, "DeleteInsightRules", json!({"RuleNames": ["r"]})).await;
    assert_eq!(ok(&aws, "ListTagsForResource", json!({"ResourceARN": arn})).await["Tags"], json!([]));
}
