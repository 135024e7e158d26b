//! What can be set around log groups: filters, destinations, policies, exports, deliveries.

use aws_smithy_types::body::SdkBody;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::support::Aws;
use crate::local::LocalClock;
use crate::local::signature::sign;
use crate::local::time::millis;

async fn call(aws: &Aws, operation: &str, body: Value) -> Result<Value, (String, String)> {
    let request = Request::post("http://localhost/").header("x-amz-target", format!("Logs_20140328.{operation}"));
    let answer = aws.backend.handle(sign(request).body(SdkBody::from(body.to_string())).unwrap()).await;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |member: &str| answer[member].as_str().unwrap_or_default().to_owned();
    if parts.status.is_success() { Ok(answer) } else { Err((text("__type"), text("message"))) }
}

async fn ok(aws: &Aws, operation: &str, body: Value) -> Value {
    call(aws, operation, body).await.unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

/// A backend with the stream `s` of the group `g`.
async fn group() -> Aws {
    let aws = Aws::with_clock(LocalClock::manual());
    ok(&aws, "CreateLogGroup", json!({"logGroupName": "g"})).await;
    ok(&aws, "CreateLogStream", json!({"logGroupName": "g", "logStreamName": "a/s"})).await;
    aws
}

async fn put(aws: &Aws, messages: &[&str]) {
    let now = millis(aws.backend.clock().now());
    let events: Vec<Value> = messages.iter().map(|text| json!({"timestamp": now, "message": text})).collect();
    ok(aws, "PutLogEvents", json!({"logGroupName": "g", "logStreamName": "a/s", "logEvents": events})).await;
}

fn refused(code: &str, message: &str) -> (String, String) {
    (code.to_owned(), message.to_owned())
}

#[tokio::test]
async fn metric_filters_measure_what_is_logged() {
    let aws = group().await;
    let filter = |name: &str, pattern: &str, transformation: Value| {
        json!({
            "logGroupName": "g", "filterName": name, "filterPattern": pattern,
            "metricTransformations": [transformation],
        })
    };
    let count = json!({"metricName": "errors", "metricNamespace": "L", "metricValue": "1", "defaultValue": 0.0});
    ok(&aws, "PutMetricFilter", filter("count", "ERROR", count.clone())).await;
    let size = json!({
        "metricName": "bytes", "metricNamespace": "L", "metricValue": "$bytes", "unit": "Bytes",
        "dimensions": {"Status": "$status"},
    });
    ok(&aws, "PutMetricFilter", filter("size", "[..., status = 4*, bytes]", size.clone())).await;
    let time = json!({"metricName": "ms", "metricNamespace": "L", "metricValue": "$.ms"});
    ok(&aws, "PutMetricFilter", filter("time", "{ $.ms > 1 }", time)).await;
    put(&aws, &["an ERROR", "fine", "GET /x 404 1534", "{\"ms\": 7}", "{\"ms\": 0}"]).await;

    let read = async |name: &str, dimensions: Value| {
        let now = millis(aws.backend.clock().now()) / 1000;
        let body = json!({
            "Namespace": "L", "MetricName": name, "Dimensions": dimensions, "StartTime": now - 60, "EndTime": now + 60,
            "Period": 3600, "Statistics": ["Sum", "SampleCount"],
        });
        let request = Request::post("http://localhost/")
            .header("x-amz-target", "GraniteServiceVersion20100801.GetMetricStatistics");
        let request = sign(request).body(SdkBody::from(body.to_string()));
        let answer = aws.backend.handle(request.unwrap()).await.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let points = answer["Datapoints"].as_array().unwrap().clone();
        let sum = |member: &str| points.iter().map(|point| point[member].as_f64().unwrap()).sum::<f64>();
        (sum("Sum"), sum("SampleCount"))
    };
    assert_eq!(read("errors", json!([])).await, (1.0, 5.0), "those that do not match count as the default");
    assert_eq!(read("bytes", json!([{"Name": "Status", "Value": "404"}])).await, (1534.0, 1.0));
    assert_eq!(read("ms", json!([])).await, (7.0, 1.0));

    let listed = ok(&aws, "DescribeMetricFilters", json!({"metricName": "ms", "metricNamespace": "L"})).await;
    assert_eq!(listed["metricFilters"][0]["filterName"], "time");
    assert_eq!(listed["metricFilters"][0]["applyOnTransformedLogs"], false);
    let groups = ok(&aws, "DescribeLogGroups", json!({})).await;
    assert_eq!(groups["logGroups"][0]["metricFilterCount"], 3);
    let page = ok(&aws, "DescribeMetricFilters", json!({"limit": 2})).await;
    let next = ok(&aws, "DescribeMetricFilters", json!({"nextToken": page["nextToken"]})).await;
    assert_eq!(next["metricFilters"].as_array().unwrap().len(), 1);
    ok(&aws, "DeleteMetricFilter", json!({"logGroupName": "g", "filterName": "time"})).await;

    let mut both = size;
    both["defaultValue"] = json!(0.0);
    let message = "Invalid metric transformation: dimensions and default value are mutually exclusive properties.";
    let answer = call(&aws, "PutMetricFilter", filter("x", "[a]", both.clone())).await;
    assert_eq!(answer, Err(refused("InvalidParameterException", message)));
    both.as_object_mut().unwrap().remove("defaultValue");
    let answer = call(&aws, "PutMetricFilter", filter("x", "ERROR", both)).await;
    let message = "The specified filter pattern does not support dimensions";
    assert_eq!(answer, Err(refused("InvalidParameterException", message)));
    let mut elsewhere = filter("x", "ERROR", count);
    elsewhere["logGroupName"] = json!("none");
    let answer = call(&aws, "PutMetricFilter", elsewhere).await;
    assert_eq!(answer, Err(refused("ResourceNotFoundException", "The specified log group does not exist.")));
    let answer = call(&aws, "DeleteMetricFilter", json!({"logGroupName": "g", "filterName": "none"})).await;
    assert_eq!(answer, Err(refused("ResourceNotFoundException", "The specified metric filter does not exist.")));

    let messages = ["{\"a\": {\"b\": 2}}", "x", "{\"a\": {\"b\": 3}}"];
    let test = json!({"filterPattern": "{ $.a.b = * }", "logEventMessages": messages});
    let matches = ok(&aws, "TestMetricFilter", test).await["matches"].clone();
    let expected = json!({"eventNumber": 3, "eventMessage": messages[2], "extractedValues": {"$.a.b": "3"}});
    assert_eq!((matches.as_array().unwrap().len(), &matches[1]), (2, &expected));
}

#[tokio::test]
async fn subscriptions_need_a_destination_that_is_there() {
    let aws = group().await;
    let destination = json!({"destinationName": "d", "targetArn": "arn:aws:kinesis:::stream/s", "roleArn": "arn:r"});
    let put = ok(&aws, "PutDestination", destination).await;
    let arn = put["destination"]["arn"].as_str().unwrap().to_owned();
    assert_eq!(arn, "arn:aws:logs:us-east-1:123456789012:destination:d");
    ok(&aws, "PutDestinationPolicy", json!({"destinationName": "d", "accessPolicy": "{}"})).await;
    ok(&aws, "TagResource", json!({"resourceArn": arn, "tags": {"k": "v"}})).await;
    assert_eq!(ok(&aws, "ListTagsForResource", json!({"resourceArn": arn})).await["tags"], json!({"k": "v"}));
    let filter = |name: &str, arn: &str| json!({"logGroupName": "g", "filterName": name, "filterPattern": "", "destinationArn": arn});
    ok(&aws, "PutSubscriptionFilter", filter("one", &arn)).await;
    ok(&aws, "PutSubscriptionFilter", filter("two", &arn)).await;
    let third = call(&aws, "PutSubscriptionFilter", filter("three", &arn)).await;
    assert_eq!(third, Err(refused("LimitExceededException", "Resource limit exceeded.")));
    let listed = ok(&aws, "DescribeSubscriptionFilters", json!({"logGroupName": "g"})).await;
    assert_eq!(listed["subscriptionFilters"][1]["distribution"], "ByLogStream");
    for (arn, code, part) in [
        (
            "arn:aws:lambda:us-east-1:123456789012:function:f",
            "InvalidParameterException",
            "Could not execute the lambda",
        ),
        ("arn:aws:lambda:us-east-1:1:function:f", "AccessDeniedException", "Cross-account lambda invocation"),
        (
            "arn:aws:kinesis:us-east-1:123456789012:stream/s",
            "InvalidParameterException",
            "cannot be used without roleArn",
        ),
        ("nothing", "InvalidParameterException", "destinationArn"),
    ] {
        let (found, message) = call(&aws, "PutSubscriptionFilter", filter("one", arn)).await.unwrap_err();
        assert!(found == code && message.contains(part), "{arn}: {found} {message}");
    }
    ok(&aws, "DeleteSubscriptionFilter", json!({"logGroupName": "g", "filterName": "one"})).await;
    let again = call(&aws, "DeleteSubscriptionFilter", json!({"logGroupName": "g", "filterName": "one"})).await;
    assert_eq!(again, Err(refused("ResourceNotFoundException", "The specified subscription filter does not exist.")));
    ok(&aws, "DeleteDestination", json!({"destinationName": "d"})).await;
    assert_eq!(ok(&aws, "DescribeDestinations", json!({})).await["destinations"], json!([]));
}

#[tokio::test]
async fn exports_are_files_in_s3() {
    let aws = group().await;
    put(&aws, &["one", "two"]).await;
    let now = millis(aws.backend.clock().now());
    let export =
        |bucket: &str| json!({"logGroupName": "g", "from": now - 1000, "to": now + 1000, "destination": bucket});
    let message = "The given bucket does not exist. Please make sure the bucket is valid.";
    assert_eq!(
        call(&aws, "CreateExportTask", export("none")).await,
        Err(refused("InvalidParameterException", message))
    );
    aws.backend.core().s3.create_bucket("out");
    let id = ok(&aws, "CreateExportTask", export("out")).await["taskId"].as_str().unwrap().to_owned();
    assert_eq!(aws.get("out", "aws-logs-write-test").as_deref(), Some("Permission Check Successful"));
    let packed = aws.backend.core().s3.get("out", &format!("exportedlogs/{id}/a-s/000000.gz")).unwrap();
    let text = crate::local::archive::gunzip(&packed, 1 << 20).unwrap();
    let lines: Vec<&str> = std::str::from_utf8(&text).unwrap().lines().collect();
    assert!(lines.len() == 2 && lines[0].ends_with("Z one"), "{lines:?}");
    let tasks = ok(&aws, "DescribeExportTasks", json!({"taskId": id, "statusCode": "COMPLETED"})).await;
    assert_eq!(tasks["exportTasks"][0]["destinationPrefix"], "exportedlogs");
    assert_eq!(ok(&aws, "DescribeExportTasks", json!({"taskId": "none"})).await["exportTasks"], json!([]));
    let finished = "The specified export task has already finished";
    let cancelled = call(&aws, "CancelExportTask", json!({"taskId": id})).await;
    assert_eq!(cancelled, Err(refused("InvalidOperationException", finished)));
}

#[tokio::test]
async fn policies_and_definitions_are_kept() {
    let aws = group().await;
    for number in 0..10 {
        let policy = json!({"policyName": format!("p{number}"), "policyDocument": "{}"});
        ok(&aws, "PutResourcePolicy", policy).await;
    }
    let more = call(&aws, "PutResourcePolicy", json!({"policyName": "more", "policyDocument": "{}"})).await;
    assert_eq!(more, Err(refused("LimitExceededException", "Resource limit exceeded.")));
    let listed = ok(&aws, "DescribeResourcePolicies", json!({})).await["resourcePolicies"].clone();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["policyScope"]), (10, &json!("ACCOUNT")));
    ok(&aws, "DeleteResourcePolicy", json!({"policyName": "p1"})).await;
    let again = call(&aws, "DeleteResourcePolicy", json!({"policyName": "p1"})).await;
    assert_eq!(again, Err(refused("ResourceNotFoundException", "Policy with name [p1] does not exist.")));
    let account = json!({"policyName": "a", "policyType": "DATA_PROTECTION_POLICY", "policyDocument": "{}"});
    ok(&aws, "PutAccountPolicy", account).await;
    let of_type = json!({"policyType": "DATA_PROTECTION_POLICY"});
    let found = ok(&aws, "DescribeAccountPolicies", of_type).await;
    assert_eq!(found["accountPolicies"][0]["scope"], "ALL");

    let protection = json!({"logGroupIdentifier": "g", "policyDocument": "{}"});
    ok(&aws, "PutDataProtectionPolicy", protection.clone()).await;
    let groups = ok(&aws, "DescribeLogGroups", json!({})).await;
    assert_eq!(groups["logGroups"][0]["dataProtectionStatus"], "ACTIVATED");
    assert_eq!(ok(&aws, "GetDataProtectionPolicy", json!({"logGroupIdentifier": "g"})).await["policyDocument"], "{}");
    ok(&aws, "DeleteDataProtectionPolicy", json!({"logGroupIdentifier": "g"})).await;
    ok(&aws, "PutIndexPolicy", protection).await;
    let indexes = ok(&aws, "DescribeIndexPolicies", json!({"logGroupIdentifiers": ["g"]})).await;
    assert_eq!(indexes["indexPolicies"][0]["source"], "LOG_GROUP");

    let put = json!({"name": "q/one", "queryString": "limit 1", "logGroupNames": ["g"]});
    let id = ok(&aws, "PutQueryDefinition", put).await["queryDefinitionId"].clone();
    let found = ok(&aws, "DescribeQueryDefinitions", json!({"queryDefinitionNamePrefix": "q/"})).await;
    assert_eq!(found["queryDefinitions"][0]["queryDefinitionId"], id);
    assert_eq!(ok(&aws, "DeleteQueryDefinition", json!({"queryDefinitionId": id})).await["success"], true);

    let protect = |on: bool| json!({"logGroupIdentifier": "g", "deletionProtectionEnabled": on});
    ok(&aws, "PutLogGroupDeletionProtection", protect(true)).await;
    assert_eq!(call(&aws, "DeleteLogGroup", json!({"logGroupName": "g"})).await.unwrap_err().0, "ValidationException");
    ok(&aws, "PutLogGroupDeletionProtection", protect(false)).await;
    ok(&aws, "AssociateKmsKey", json!({"logGroupName": "g", "kmsKeyId": "arn:aws:kms:::key/1"})).await;
    let groups = ok(&aws, "DescribeLogGroups", json!({})).await;
    assert_eq!(groups["logGroups"][0]["kmsKeyId"], "arn:aws:kms:::key/1");
    let listed = ok(&aws, "ListLogGroups", json!({})).await;
    assert_eq!(listed["logGroups"][0]["logGroupName"], "g");
    ok(&aws, "DeleteLogGroup", json!({"logGroupName": "g"})).await;
}

#[tokio::test]
async fn deliveries_connect_sources_and_destinations() {
    let aws = Aws::new();
    let cloudfront = "arn:aws:cloudfront::123456789012:distribution/E1";
    let source = |name: &str, arn: &str, kind: &str| json!({"name": name, "resourceArn": arn, "logType": kind});
    let put = ok(&aws, "PutDeliverySource", source("s", cloudfront, "ACCESS_LOGS")).await;
    assert_eq!(put["deliverySource"]["service"], "cloudfront");
    let wrong = call(&aws, "PutDeliverySource", source("t", "arn:aws:s3:::b", "ACCESS_LOGS")).await;
    assert_eq!(wrong, Err(refused("ResourceNotFoundException", "Cannot access provided service.")));
    let wrong = call(&aws, "PutDeliverySource", source("t", cloudfront, "EVENT_LOGS")).await.unwrap_err();
    assert_eq!(wrong.0, "ValidationException");
    let moved = call(&aws, "PutDeliverySource", source("s", &format!("{cloudfront}2"), "ACCESS_LOGS")).await;
    assert_eq!(moved.unwrap_err().0, "ConflictException");
    let destination = |format: &str| {
        let resource = json!({"destinationResourceArn": "arn:aws:s3:::b"});
        json!({"name": "d", "outputFormat": format, "deliveryDestinationConfiguration": resource})
    };
    let put = ok(&aws, "PutDeliveryDestination", destination("json")).await["deliveryDestination"].clone();
    assert_eq!(put["deliveryDestinationType"], "S3");
    for bad in ["plain", "foobar"] {
        let refused = call(&aws, "PutDeliveryDestination", destination(bad)).await.unwrap_err();
        assert_eq!(refused.0, "ValidationException", "{bad}");
    }
    let delivery = json!({"deliverySourceName": "s", "deliveryDestinationArn": put["arn"], "tags": {"k": "v"}});
    let made = ok(&aws, "CreateDelivery", delivery.clone()).await["delivery"].clone();
    assert_eq!((made["recordFields"].as_array().unwrap().len(), &made["tags"]), (33, &json!({"k": "v"})));
    let again = call(&aws, "CreateDelivery", delivery).await.unwrap_err();
    assert_eq!(again.0, "ConflictException");
    assert_eq!(call(&aws, "DeleteDeliverySource", json!({"name": "s"})).await.unwrap_err().0, "ConflictException");
    ok(&aws, "UpdateDeliveryConfiguration", json!({"id": made["id"], "recordFields": ["date"]})).await;
    let found = ok(&aws, "GetDelivery", json!({"id": made["id"]})).await;
    assert_eq!(found["delivery"]["recordFields"], json!(["date"]));
    ok(&aws, "DeleteDelivery", json!({"id": made["id"]})).await;
    assert_eq!(ok(&aws, "DescribeDeliveries", json!({})).await["deliveries"], json!([]));

    let policy = json!({"deliveryDestinationName": "d", "deliveryDestinationPolicy": "{}"});
    ok(&aws, "PutDeliveryDestinationPolicy", policy).await;
    let named = json!({"deliveryDestinationName": "d"});
    let found = ok(&aws, "GetDeliveryDestinationPolicy", named.clone()).await;
    assert_eq!(found["policy"]["deliveryDestinationPolicy"], "{}");
    ok(&aws, "DeleteDeliveryDestinationPolicy", named.clone()).await;
    assert_eq!(ok(&aws, "GetDeliveryDestinationPolicy", named).await["policy"], json!({}));
    ok(&aws, "DeleteDeliveryDestination", json!({"name": "d"})).await;
    let gone = call(&aws, "GetDeliveryDestination", json!({"name": "d"})).await;
    let message = "Requested Delivery Destination does not exist in this account.";
    assert_eq!(gone, Err(refused("ResourceNotFoundException", message)));
}

#[tokio::test]
async fn identifiers_are_not_repeated_and_names_have_words_of_their_own() {
    let aws = group().await;
    let (_, message) = call(&aws, "DescribeLogStreams", json!({"logGroupIdentifier": "g:*"})).await.unwrap_err();
    let expected = "1 validation error detected: Value at 'logGroupIdentifier' failed to satisfy constraint: Member must \
                    satisfy regular expression pattern: [\\w#+=/:,.@-]*";
    assert_eq!(message, expected);
    let long = call(&aws, "CreateLogGroup", json!({"logGroupName": "a".repeat(513)})).await;
    let message = "Invalid LogGroup or LogStream, both must have length less than or equal to 512.";
    assert_eq!(long, Err(refused("InvalidParameterException", message)));
    let both = call(&aws, "DescribeLogStreams", json!({"logGroupIdentifier": "g", "logGroupName": "g"})).await;
    let message = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
    assert_eq!(both, Err(refused("ValidationException", message)));
}
