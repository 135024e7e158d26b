//! CloudWatch metrics, over the wire of each protocol.

use std::collections::BTreeSet;
use std::io::Write;

use aws_smithy_types::body::SdkBody;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::support::Aws;
use crate::local::LocalClock;
use crate::local::signature::sign;
use crate::local::time::epoch;

const HOST: &str = "https://monitoring.us-east-1.amazonaws.com";

async fn send(aws: &Aws, request: http::request::Builder, body: Vec<u8>) -> (u16, http::HeaderMap, Vec<u8>) {
    let answer = aws.backend.handle(sign(request).body(SdkBody::from(body)).unwrap()).await;
    let (parts, body) = answer.into_parts();
    (parts.status.as_u16(), parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
}

/// A call of the JSON protocol.
async fn call(aws: &Aws, operation: &str, body: Value) -> (u16, Value) {
    let request = Request::post(HOST).header("x-amz-target", format!("GraniteServiceVersion20100801.{operation}"));
    let (status, headers, body) = send(aws, request, body.to_string().into_bytes()).await;
    assert_eq!(headers["content-type"], "application/x-amz-json-1.0");
    (status, if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() })
}

async fn ok(aws: &Aws, operation: &str, body: Value) -> Value {
    let (status, answer) = call(aws, operation, body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

fn now(aws: &Aws) -> i64 {
    epoch(aws.backend.clock().now())
}

#[tokio::test]
async fn what_is_put_is_read_in_each_protocol() {
    let aws = Aws::with_clock(LocalClock::manual());
    let minute = now(&aws) / 60 * 60;
    let datum = |value: f64| json!({"MetricName": "m", "Value": value, "Timestamp": minute, "Unit": "Count"});
    ok(&aws, "PutMetricData", json!({"Namespace": "N", "MetricData": [datum(1.0), datum(3.0)]})).await;

    let body = format!(
        "Action=PutMetricData&Version=2010-08-01&Namespace=N&MetricData.member.1.MetricName=m&MetricData.member.1.Unit=\
         Count&MetricData.member.1.Timestamp={minute}&MetricData.member.1.Values.member.1=8&MetricData.member.1.Counts\
         .member.1=2"
    );
    let (status, _, text) = send(&aws, Request::post(HOST), body.into_bytes()).await;
    assert!(status == 200 && String::from_utf8_lossy(&text).contains("<PutMetricDataResponse"));

    let document = json!({
        "Namespace": "N", "MetricName": "m", "StartTime": minute, "EndTime": minute + 60, "Period": 60,
        "Statistics": ["Sum", "SampleCount", "Average"],
    });
    let mut extended = document.clone();
    extended["ExtendedStatistics"] = json!(["p50"]);
    extended.as_object_mut().unwrap().remove("Statistics");
    let mut text = String::new();
    for document in [&document, &extended] {
        let mut cbor = Vec::new();
        ciborium::into_writer(document, &mut cbor).unwrap();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&cbor).unwrap();
        let operation = "service/GraniteServiceVersion20100801/operation/GetMetricStatistics";
        let request = Request::post(format!("{HOST}/{operation}"));
        let request = request.header("smithy-protocol", "rpc-v2-cbor").header("content-encoding", "gzip");
        let (status, headers, body) = send(&aws, request, packed.finish().unwrap()).await;
        assert_eq!((status, headers["smithy-protocol"].to_str().unwrap()), (200, "rpc-v2-cbor"));
        let read: ciborium::Value = ciborium::from_reader(&body[..]).unwrap();
        text.push_str(&format!("{read:?}"));
    }
    for part in
        ["Text(\"Sum\"), Float(20.0)", "Text(\"SampleCount\"), Float(4.0)", "Text(\"p50\"), Float(3.0)", "Tag(1, "]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    let expected = json!({
        "Timestamp": minute as f64, "Unit": "Count", "Sum": 20.0, "SampleCount": 4.0, "Average": 5.0,
    });
    assert_eq!(ok(&aws, "GetMetricStatistics", document).await, json!({"Label": "m", "Datapoints": [expected]}));
    let expected = json!({"Timestamp": minute as f64, "Unit": "Count", "ExtendedStatistics": {"p50": 3.0}});
    assert_eq!(ok(&aws, "GetMetricStatistics", extended).await, json!({"Label": "m", "Datapoints": [expected]}));
}

#[tokio::test]
async fn errors_have_the_form_of_their_protocol() {
    let aws = Aws::new();
    let (status, answer) = call(&aws, "PutMetricData", json!({"Namespace": "AWS/X", "MetricData": []})).await;
    assert_eq!(status, 400);
    assert_eq!(answer["__type"], "com.amazonaws.cloudwatch.v2010_08_01#InvalidParameterValueException");
    assert_eq!(answer["message"], "The value AWS/ for parameter Namespace is invalid.");
    let request = Request::post(HOST).header("x-amz-target", "GraniteServiceVersion20100801.PutMetricData");
    let (_, headers, _) = send(&aws, request, json!({"Namespace": "N"}).to_string().into_bytes()).await;
    assert_eq!(headers["x-amzn-query-error"], "MissingParameter;Sender");
    let (status, _, body) = send(&aws, Request::post(HOST), b"Action=PutMetricData&Namespace=:x".to_vec()).await;
    let text = String::from_utf8(body).unwrap();
    assert!(status == 400 && text.contains("<Code>ValidationError</Code>") && text.contains("'namespace'"), "{text}");
    let (_, _, body) = send(&aws, Request::post(HOST), b"Action=ListMetricStreams".to_vec()).await;
    assert!(String::from_utf8(body).unwrap().contains("the operation ListMetricStreams of cloudwatch"));

    let now = now(&aws);
    let put = |datum: Value| call(&aws, "PutMetricData", json!({"Namespace": "N", "MetricData": [datum]}));
    let message = async |datum: Value| put(datum).await.1["message"].as_str().unwrap().to_owned();
    let old = json!({"MetricName": "m", "Value": 1, "Timestamp": now - 15 * 86_400});
    assert!(message(old).await.starts_with("The parameter MetricData.member.1.Timestamp must specify a time"));
    let both = json!({"MetricName": "m", "Value": 1, "Values": [1]});
    let exclusive = "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you \
                     have specified both.";
    assert_eq!(message(both).await, exclusive);
    assert!(message(json!({"MetricName": "m"})).await.starts_with("At least one of the parameters"));
    let counts = json!({"MetricName": "m", "Values": [1], "Counts": [1, 2]});
    assert!(message(counts).await.contains("must be of the same size"));

    let read = json!({"Namespace": "N", "MetricName": "m", "StartTime": 0, "EndTime": 86_400 * 10, "Period": 60, "Statistics": ["Sum"]});
    let (_, answer) = call(&aws, "GetMetricStatistics", read).await;
    assert!(answer["message"].as_str().unwrap().starts_with("You have requested up to 14400 datapoints"));
    let data = async |query: Value, start: i64, end: i64| {
        let request = json!({"MetricDataQueries": [query], "StartTime": start, "EndTime": end});
        let (_, answer) = call(&aws, "GetMetricData", request).await;
        assert_eq!(answer["__type"], "com.amazon.coral.validate#ValidationException");
        answer["message"].as_str().unwrap().to_owned()
    };
    let named = json!({"Id": "a"});
    let required = "The parameter MetricDataQueries.member.1.MetricStat is required.\n";
    assert_eq!(data(named.clone(), 0, 1).await, required);
    assert_eq!(data(named.clone(), 1, 0).await, "The parameter EndTime must be greater than StartTime.");
    assert_eq!(data(named, 1, 1).await, "The parameter StartTime must not equal parameter EndTime.");
    for (expression, part) in [("SEARCH('x', 'Sum')", "the function SEARCH"), ("1 + 1", "time series"), ("a", "itself")]
    {
        let message = data(json!({"Id": "a", "Expression": expression}), 0, 1).await;
        assert!(message.starts_with("Error in expression 'a'") && message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_in_two_ways() {
    let aws = Aws::new();
    let body = json!({"AlarmName": "a", "StateValue": "OK", "StateReason": "r"});
    let request = || Request::post(HOST).header("x-amz-target", "GraniteServiceVersion20100801.SetAlarmState");
    let (status, headers, answer) = send(&aws, request(), body.to_string().into_bytes()).await;
    let expected = json!({"__type": "com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFound"});
    assert_eq!((status, serde_json::from_slice::<Value>(&answer).unwrap()), (400, expected));
    assert_eq!(headers["x-amzn-query-error"], "ResourceNotFound;Sender");
    let knows = request().header("x-amzn-query-mode", "true");
    assert_eq!(send(&aws, knows, body.to_string().into_bytes()).await.0, 404);
    let form = b"Action=SetAlarmState&AlarmName=a&StateValue=OK&StateReason=r".to_vec();
    assert_eq!(send(&aws, Request::post(HOST), form).await.0, 404);
    let tags = json!({"ResourceARN": "arn:aws:cloudwatch:us-east-1:1:alarm:none", "Tags": []});
    let (_, answer) = call(&aws, "TagResource", tags).await;
    assert_eq!(answer["message"], "Unknown");
}

#[tokio::test]
async fn no_number_is_refused_in_the_words_of_the_service() {
    let aws = Aws::new();
    for (value, name) in [(f64::NAN, "NaN"), (f64::INFINITY, "Infinity")] {
        let text = |text: &str| ciborium::Value::Text(text.to_owned());
        let datum = vec![(text("MetricName"), text("m")), (text("Value"), ciborium::Value::Float(value))];
        let data = ciborium::Value::Array(vec![ciborium::Value::Map(datum)]);
        let document = ciborium::Value::Map(vec![(text("Namespace"), text("N")), (text("MetricData"), data)]);
        let mut body = Vec::new();
        ciborium::into_writer(&document, &mut body).unwrap();
        let request = Request::post(format!("{HOST}/service/GraniteServiceVersion20100801/operation/PutMetricData"));
        let (status, _, answer) = send(&aws, request.header("smithy-protocol", "rpc-v2-cbor"), body).await;
        let answer = format!("{:?}", ciborium::from_reader::<ciborium::Value, _>(&answer[..]).unwrap());
        let expected = format!("The value {name} for parameter MetricData.member.1.Value is invalid.");
        assert!(status == 400 && answer.contains(&expected), "{answer}");
    }
}

#[tokio::test]
async fn data_comes_in_pages_newest_first() {
    let aws = Aws::with_clock(LocalClock::manual());
    let start = now(&aws) / 300 * 300 - 600;
    let data: Vec<Value> =
        (0..5).map(|minute| json!({"MetricName": "m", "Value": minute, "Timestamp": start + minute * 60})).collect();
    ok(&aws, "PutMetricData", json!({"Namespace": "N", "MetricData": data})).await;
    let metric = json!({"Namespace": "N", "MetricName": "m"});
    let query =
        |id: &str, period: i64| json!({"Id": id, "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"}});
    let mut request = json!({
        "MetricDataQueries": [query("a", 60), query("b", 300)], "StartTime": start + 30, "EndTime": start + 300,
        "MaxDatapoints": 4,
    });
    let first = ok(&aws, "GetMetricData", request.clone()).await;
    let values = |page: &Value, at: usize| page["MetricDataResults"][at]["Values"].clone();
    assert_eq!((values(&first, 0), values(&first, 1)), (json!([4.0, 3.0, 2.0, 1.0]), json!([])));
    assert_eq!(first["MetricDataResults"][0]["StatusCode"], "PartialData");
    request["NextToken"] = first["NextToken"].clone();
    let second = ok(&aws, "GetMetricData", request).await;
    assert_eq!((values(&second, 0), values(&second, 1)), (json!([0.0]), json!([10.0])));
    assert!(second.get("NextToken").is_none());
    assert_eq!(second["MetricDataResults"][1]["Timestamps"], json!([start as f64]));
}

#[tokio::test]
async fn queries_have_labels_units_and_expressions() {
    let aws = Aws::with_clock(LocalClock::manual());
    let minute = now(&aws) / 60 * 60;
    let put = async |name: &str, values: &[(i64, f64, &str)]| {
        let data: Vec<Value> = values
            .iter()
            .map(
                |(at, value, unit)| json!({"MetricName": name, "Value": value, "Unit": unit, "Timestamp": minute + at}),
            )
            .collect();
        ok(&aws, "PutMetricData", json!({"Namespace": "N", "MetricData": data})).await;
    };
    put("a", &[(-60, 1.0, "Count"), (0, 3.0, "Count")]).await;
    put("b", &[(0, 4.0, "Count")]).await;
    put("mixed", &[(0, 60.0, "Seconds"), (0, 60000.0, "Milliseconds")]).await;
    let stat = |name: &str, stat: &str| {
        let metric = json!({"Namespace": "N", "MetricName": name});
        json!({"Metric": metric, "Period": 60, "Stat": stat})
    };
    let data = async |queries: Value| {
        let request = json!({
            "MetricDataQueries": queries, "StartTime": minute - 300, "EndTime": minute + 60,
            "ScanBy": "TimestampAscending", "LabelOptions": {"Timezone": "+0000"},
        });
        let answer = ok(&aws, "GetMetricData", request).await;
        let result = |result: &Value| (result["Label"].as_str().unwrap().to_owned(), result["Values"].clone());
        answer["MetricDataResults"].as_array().unwrap().iter().map(result).collect::<Vec<_>>()
    };
    let labelled = |label: &str, values: Value| (label.to_owned(), values);
    let queries = json!([{"Id": "x", "MetricStat": stat("a", "Sum")}, {"Id": "y", "MetricStat": stat("b", "Maximum")}]);
    assert_eq!(data(queries).await, [labelled("a Sum", json!([1.0, 3.0])), labelled("b Maximum", json!([4.0]))]);
    let queries = json!([
        {"Id": "x", "MetricStat": stat("a", "Sum"), "ReturnData": false},
        {"Id": "y", "MetricStat": stat("b", "Sum"), "Label": "${LABEL} of ${PROP('Namespace')}: ${MAX}"},
        {"Id": "e", "Expression": "FILL(y, 0) + x"},
        {"Id": "all", "Expression": "METRICS()", "Label": "each"},
        {"Id": "q", "Expression": "SELECT SUM(a) FROM \"N\"", "Period": 60},
    ]);
    let expected = [
        labelled("b of N: 4", json!([4.0])),
        labelled("e", json!([1.0, 7.0])),
        labelled("each", json!([1.0, 3.0])),
        labelled("each", json!([4.0])),
        labelled("q", json!([1.0, 3.0])),
    ];
    assert_eq!(data(queries).await, expected);

    let request = json!({
        "MetricDataQueries": [{"Id": "m", "MetricStat": stat("mixed", "Sum")}], "StartTime": minute, "EndTime": minute + 60,
    });
    let answer = ok(&aws, "GetMetricData", request).await;
    let result = &answer["MetricDataResults"][0];
    assert_eq!(result["Values"], json!([60000.0]), "of several units one");
    assert_eq!(result["Messages"][0]["Value"], "Multiple units returned: '[Milliseconds, Seconds]'");
    let request = json!({
        "Namespace": "N", "MetricName": "mixed", "StartTime": minute, "EndTime": minute + 60, "Period": 60,
        "ExtendedStatistics": ["p50", "tm90"],
    });
    let answer = ok(&aws, "GetMetricStatistics", request.clone()).await;
    assert_eq!(answer["Datapoints"].as_array().unwrap().len(), 2, "each unit by itself");
    let mut bad = request;
    bad["ExtendedStatistics"] = json!(["90"]);
    let (_, answer) = call(&aws, "GetMetricStatistics", bad.clone()).await;
    assert_eq!(answer["message"], "The value 90 for parameter ExtendedStatistics.member.1 is not supported.");
    bad.as_object_mut().unwrap().retain(|name, _| !name.ends_with("Statistics"));
    let (_, answer) = call(&aws, "GetMetricStatistics", bad).await;
    assert_eq!(answer["message"], "Must specify either Statistics or ExtendedStatistics");
}

#[tokio::test]
async fn seconds_are_told_apart_if_that_is_asked_for() {
    let aws = Aws::with_clock(LocalClock::manual());
    let minute = now(&aws) / 60 * 60 - 60;
    let datum = |name: &str, at: i64, resolution: i64| json!({"MetricName": name, "Value": 1, "Timestamp": minute + at, "StorageResolution": resolution});
    let data = [datum("fine", 0, 1), datum("fine", 7, 1), datum("coarse", 7, 60)];
    ok(&aws, "PutMetricData", json!({"Namespace": "N", "MetricData": data})).await;
    let times = async |name: &str| {
        let request = json!({
            "Namespace": "N", "MetricName": name, "StartTime": minute, "EndTime": minute + 60, "Period": 5,
            "Statistics": ["Sum"],
        });
        let answer = ok(&aws, "GetMetricStatistics", request).await;
        let at = |point: &Value| point["Timestamp"].as_f64().unwrap() as i64 - minute;
        answer["Datapoints"].as_array().unwrap().iter().map(at).collect::<Vec<_>>()
    };
    assert_eq!((times("fine").await, times("coarse").await), (vec![0, 5], vec![0]));
}

#[tokio::test]
async fn metrics_are_listed_by_what_they_are() {
    let aws = Aws::new();
    let datum = |name: &str, value: &str| json!({"MetricName": name, "Value": 1, "Dimensions": [{"Name": "Host", "Value": value}]});
    let data: Vec<Value> = (0..600).map(|number| datum("many", &number.to_string())).collect();
    ok(&aws, "PutMetricData", json!({"Namespace": "N", "MetricData": data})).await;
    ok(&aws, "PutMetricData", json!({"Namespace": "Other", "MetricData": [datum("m", "a")]})).await;
    let mut seen = BTreeSet::new();
    let mut token = Value::Null;
    let mut pages = 0;
    loop {
        let page = ok(&aws, "ListMetrics", json!({"Namespace": "N", "NextToken": token})).await;
        pages += 1;
        seen.extend(page["Metrics"].as_array().unwrap().iter().map(Value::to_string));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!((seen.len(), pages), (600, 2));
    let by_dimension = json!({"Dimensions": [{"Name": "Host", "Value": "a"}], "RecentlyActive": "PT3H"});
    let found = ok(&aws, "ListMetrics", by_dimension).await;
    let expected = json!([{"Namespace": "Other", "MetricName": "m", "Dimensions": [{"Name": "Host", "Value": "a"}]}]);
    assert_eq!(found["Metrics"], expected);
    aws.backend.clock().sleep(std::time::Duration::from_secs(4 * 3600)).await;
    assert_eq!(ok(&aws, "ListMetrics", json!({"RecentlyActive": "PT3H"})).await["Metrics"], json!([]));
    let (status, answer) = call(&aws, "ListMetrics", json!({"NextToken": "nonsense"})).await;
    let expected = json!("com.amazonaws.cloudwatch.v2010_08_01#InvalidParameterValueException");
    assert_eq!((status, &answer["__type"]), (400, &expected));
    assert_eq!(answer["message"], "Request parameter NextToken is invalid");
}

#[tokio::test]
async fn endpoints_and_training_jobs_publish() {
    let aws = Aws::new();
    let start = now(&aws) - 60;
    aws.deploy("e", "1").await;
    for body in ["1", "1", "break"] {
        let _ = aws.invoke("e", body).send().await;
    }
    let _ = aws.invoke("e", "1").content_type("image/png").send().await;
    let sum = async |namespace: &str, metric: &str, dimensions: Value, statistic: &str| {
        let metric = json!({"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions});
        let query = json!([{"Id": "q", "MetricStat": {"Metric": metric, "Period": 86_400, "Stat": statistic}}]);
        let request = json!({"MetricDataQueries": query, "StartTime": start, "EndTime": start + 7 * 86_400});
        ok(&aws, "GetMetricData", request).await["MetricDataResults"][0]["Values"][0].clone()
    };
    let endpoint = json!([{"Name": "EndpointName", "Value": "e"}, {"Name": "VariantName", "Value": "AllTraffic"}]);
    for (metric, expected) in [
        ("Invocations", 4.0),
        ("Invocation4XXErrors", 1.0),
        ("Invocation5XXErrors", 1.0),
        ("InvocationsPerInstance", 4.0),
    ] {
        assert_eq!(sum("AWS/SageMaker", metric, endpoint.clone(), "Sum").await, expected, "{metric}");
    }
    assert_eq!(sum("AWS/SageMaker", "ModelLatency", endpoint, "SampleCount").await, 4.0);

    let algorithm = aws_sdk_sagemaker::types::AlgorithmSpecification::builder()
        .training_image(super::support::IMAGE)
        .training_input_mode(aws_sdk_sagemaker::types::TrainingInputMode::File)
        .metric_definitions(
            aws_sdk_sagemaker::types::MetricDefinition::builder().name("rmse").regex(r"train-rmse:([0-9.]+)").build(),
        )
        .build();
    aws.train("job").algorithm_specification(algorithm).send().await.unwrap();
    aws.ended("job").await;
    let job = json!([{"Name": "TrainingJobName", "Value": "job"}]);
    assert_eq!(sum("/aws/sagemaker/TrainingJobs", "rmse", job.clone(), "Sum").await, 11.5);
    assert_eq!(sum("/aws/sagemaker/TrainingJobs", "rmse", job, "Minimum").await, 2.5);
    aws.backend.reset();
    assert_eq!(ok(&aws, "ListMetrics", json!({})).await["Metrics"], json!([]));
}

#[tokio::test]
async fn numbers_out_of_range_are_refused() {
    let aws = Aws::new();
    let most = 2f64.powi(360);
    for (datum, path) in [
        (json!({"Value": most * 2.0}), "Value"),
        (json!({"Value": -most * 2.0}), "Value"),
        (json!({"Values": [1.0, most * 2.0]}), "Values.member.2"),
        (json!({"Values": [1.0, "NaN"]}), "Values.member.2"),
        (
            json!({"StatisticValues": {"SampleCount": 1, "Sum": "Infinity", "Minimum": 1, "Maximum": 1}}),
            "StatisticValues.Sum",
        ),
    ] {
        let mut datum = datum;
        datum["MetricName"] = json!("m");
        let (status, answer) = call(&aws, "PutMetricData", json!({"Namespace": "N", "MetricData": [datum]})).await;
        assert_eq!(status, 400);
        let text = answer["message"].as_str().unwrap();
        assert!(text.ends_with(&format!("for parameter MetricData.member.1.{path} is invalid.")), "{text}");
    }
    let datum = json!({"MetricName": "m", "Value": -most});
    ok(&aws, "PutMetricData", json!({"Namespace": "N", "MetricData": [datum]})).await;
}

#[tokio::test]
async fn statistics_are_plain_or_extended() {
    let aws = Aws::new();
    let both = json!({"Namespace": "N", "MetricName": "m", "StartTime": 0, "EndTime": 600, "Period": 60,
        "Statistics": ["Sum"], "ExtendedStatistics": ["p90"]});
    let (status, answer) = call(&aws, "GetMetricStatistics", both).await;
    assert_eq!(
        (status, answer["message"].as_str()),
        (400, Some("Must specify either Statistics or ExtendedStatistics, but not both"))
    );
}
