use super::*;

const INVENTORY: &str = "<InventoryConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Destination>\
    <S3BucketDestination><Bucket>arn:aws:s3:::data</Bucket><Format>CSV</Format></S3BucketDestination></Destination>\
    <IsEnabled>true</IsEnabled><Id>ID</Id><IncludedObjectVersions>All</IncludedObjectVersions><Schedule><Frequency>\
    Daily</Frequency></Schedule></InventoryConfiguration>";

impl Fixture {
    async fn ask(&self, method: &str, place: &str, body: &str) -> (u16, String) {
        let request = http::Request::builder().method(method).uri(format!("http://s3.localhost/{place}"));
        let (parts, body) = self.send(request.body(body).unwrap()).await;
        (parts.status.as_u16(), body)
    }

    async fn refused(&self, method: &str, place: &str, body: &str, code: &str) {
        let (status, answer) = self.ask(method, place, body).await;
        assert!(status >= 400 && answer.contains(&format!("<Code>{code}</Code>")), "{place}: {status} {answer}");
    }
}

#[tokio::test]
async fn configurations_are_told_apart_by_their_identifiers() {
    let fixture = Fixture::new();
    let document = |id: &str| INVENTORY.replace("ID", id);
    fixture.refused("GET", "data?inventory&id=a", "", "NoSuchConfiguration").await;
    assert_eq!(fixture.ask("PUT", "data?inventory&id=a", &document("a")).await.0, 200);
    let prolog = format!("<?xml version=\"1.0\"?>\n{}", document("b"));
    assert_eq!(fixture.ask("PUT", "data?inventory&id=b", &prolog).await.0, 200);
    assert_eq!(fixture.ask("GET", "data?inventory&id=a", "").await, (200, document("a")));
    let (_, list) = fixture.ask("GET", "data?inventory", "").await;
    assert!(list.contains("<Id>a</Id>") && list.contains("<Id>b</Id>") && !list.contains("<?xml"), "{list}");
    let listed = fixture.client.list_bucket_inventory_configurations().bucket("data").send().await.unwrap();
    assert_eq!((listed.inventory_configuration_list().len(), listed.is_truncated()), (2, Some(false)));
    fixture.refused("PUT", "data?inventory&id=c", &document("a"), "IdMismatch").await;
    let wrong = document("a").replace("arn:aws:s3:::data", "data");
    fixture.refused("PUT", "data?inventory&id=a", &wrong, "InvalidS3DestinationBucket").await;
    fixture.refused("PUT", "data?inventory&id=a", &document("a").replace("Daily", "Never"), "MalformedXML").await;
    fixture.refused("PUT", "none?inventory&id=a", &document("a"), "NoSuchBucket").await;
    assert_eq!(fixture.ask("DELETE", "data?inventory&id=a", "").await.0, 204);
    fixture.refused("DELETE", "data?inventory&id=a", "", "NoSuchConfiguration").await;

    for (query, document) in [
        ("metrics", "<MetricsConfiguration><Id>m</Id></MetricsConfiguration>"),
        ("analytics", "<AnalyticsConfiguration><Id>m</Id><StorageClassAnalysis/></AnalyticsConfiguration>"),
        (
            "intelligent-tiering",
            "<IntelligentTieringConfiguration><Id>m</Id><Status>Enabled</Status><Tiering><AccessTier>ARCHIVE_ACCESS\
             </AccessTier><Days>90</Days></Tiering></IntelligentTieringConfiguration>",
        ),
    ] {
        let place = format!("data?{query}&id=m");
        assert_eq!(fixture.ask("PUT", &place, document).await.0, 200, "{query}");
        assert_eq!(fixture.ask("GET", &place, "").await, (200, document.to_owned()));
        fixture.refused("PUT", &place, "<x/>", "MalformedXML").await;
        assert!(fixture.ask("GET", &format!("data?{query}"), "").await.1.contains("<Id>m</Id>"));
    }
    for number in 0..101 {
        let document = format!("<MetricsConfiguration><Id>n{number}</Id></MetricsConfiguration>");
        fixture.ask("PUT", &format!("data?metrics&id=n{number}"), &document).await;
    }
    let (_, page) = fixture.ask("GET", "data?metrics", "").await;
    let token = page.split("<NextContinuationToken>").nth(1).unwrap().split('<').next().unwrap();
    let (_, next) = fixture.ask("GET", &format!("data?metrics&continuation-token={token}"), "").await;
    assert_eq!((page.matches("<Id>").count(), next.matches("<Id>").count()), (100, 2));
}

#[tokio::test]
async fn replication_needs_versions_on_both_sides() {
    let fixture = Fixture::new();
    fixture.s3.create_bucket("target");
    let rule = "<Rule><Status>Enabled</Status><Prefix></Prefix><Destination><Bucket>arn:aws:s3:::target</Bucket>\
                </Destination></Rule>";
    let document =
        format!("<ReplicationConfiguration><Role>arn:aws:iam::1:role/r</Role>{rule}</ReplicationConfiguration>");
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let (_, answer) = fixture.ask("PUT", "data?replication", &document).await;
    assert!(answer.contains("on the bucket to apply a replication configuration"), "{answer}");
    fixture.ask("PUT", "data?versioning", enabled).await;
    let (_, answer) = fixture.ask("PUT", "data?replication", &document).await;
    assert!(answer.contains("Destination bucket must have versioning enabled."), "{answer}");
    fixture.ask("PUT", "target?versioning", enabled).await;
    assert_eq!(fixture.ask("PUT", "data?replication", &document).await.0, 200);
    let found = fixture.client.get_bucket_replication().bucket("data").send().await.unwrap();
    let rule = &found.replication_configuration().unwrap().rules()[0];
    assert!(rule.id().is_some_and(|id| !id.is_empty()), "a rule gets an identifier");
    fixture.refused("PUT", "data?replication", "<ReplicationConfiguration/>", "MalformedXML").await;
    assert_eq!(fixture.ask("DELETE", "data?replication", "").await.0, 204);
    fixture.refused("GET", "data?replication", "", "ReplicationConfigurationNotFoundError").await;
}

#[tokio::test]
async fn policies_are_public_or_not() {
    let fixture = Fixture::new();
    let status = || fixture.client.get_bucket_policy_status().bucket("data").send();
    assert_refused!(status().await, 404, "NoSuchBucketPolicy");
    let public = async |statement: &str| {
        fixture.ask("PUT", "data?policy", &format!("{{\"Statement\": [{statement}]}}")).await;
        status().await.unwrap().policy_status().unwrap().is_public().unwrap()
    };
    assert!(public(r#"{"Effect": "Allow", "Principal": "*"}"#).await);
    assert!(public(r#"{"Effect": "Allow", "Principal": {"AWS": ["1", "*"]}}"#).await);
    assert!(!public(r#"{"Effect": "Deny", "Principal": "*"}"#).await);
    assert!(!public(r#"{"Effect": "Allow", "Principal": "*", "Condition": {"Bool": {}}}"#).await);
    assert!(!public(r#"{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}}"#).await);
}

#[tokio::test]
async fn websites_and_payers_are_checked() {
    let fixture = Fixture::new();
    let website = |inner: &str| format!("<WebsiteConfiguration>{inner}</WebsiteConfiguration>");
    let index = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>";
    assert_eq!(fixture.ask("PUT", "data?website", &website(index)).await.0, 200);
    for (inner, message) in [
        (index.replace("index", "/index"), "The IndexDocument Suffix is not well formed"),
        (String::new(), "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"),
        (
            format!("{index}<RedirectAllRequestsTo><HostName>h</HostName></RedirectAllRequestsTo>"),
            "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
        ),
        (
            format!(
                "{index}<RoutingRules><RoutingRule><Redirect><Protocol>ftp</Protocol></Redirect></RoutingRule></RoutingRules>"
            ),
            "Invalid protocol, protocol can be http or https.",
        ),
    ] {
        let (status, answer) = fixture.ask("PUT", "data?website", &website(&inner)).await;
        assert!(status == 400 && answer.contains(message), "{answer}");
    }
    let payer =
        |payer: &str| format!("<RequestPaymentConfiguration><Payer>{payer}</Payer></RequestPaymentConfiguration>");
    assert_eq!(fixture.ask("PUT", "data?requestPayment", &payer("Requester")).await.0, 200);
    fixture.refused("PUT", "data?requestPayment", &payer("Nobody"), "MalformedXML").await;
    let filter = "<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:us-east-1:1:q</Queue><Event>\
                  s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>middle</Name><Value>v</Value></FilterRule>\
                  </S3Key></Filter></QueueConfiguration></NotificationConfiguration>";
    let (_, answer) = fixture.ask("PUT", "data?notification", filter).await;
    assert!(answer.contains("filter rule name must be either prefix or suffix"), "{answer}");
}

#[tokio::test]
async fn queries_select_records_of_an_object() {
    use aws_sdk_s3::types::{
        CompressionType, CsvInput, CsvOutput, ExpressionType, FileHeaderInfo, InputSerialization, JsonOutput,
        OutputSerialization, SelectObjectContentEventStream as Event,
    };
    let fixture = Fixture::new();
    fixture.put("people.csv", "name,age\nann,30\nbob,5\n\"c, d\",7\n").await;
    let select = async |query: &str, output: OutputSerialization| {
        let csv = CsvInput::builder().file_header_info(FileHeaderInfo::Use).build();
        let select = fixture.client.select_object_content().bucket("data").key("people.csv").expression(query);
        let select = select.expression_type(ExpressionType::Sql).output_serialization(output);
        let input = InputSerialization::builder().csv(csv).compression_type(CompressionType::None).build();
        let mut stream = match select.input_serialization(input).send().await {
            Ok(answer) => answer.payload,
            Err(error) => return Err(error.code().unwrap_or_default().to_owned()),
        };
        let (mut records, mut ended) = (String::new(), false);
        while let Some(event) = stream.recv().await.unwrap() {
            match event {
                Event::Records(event) => {
                    records.push_str(std::str::from_utf8(event.payload().unwrap().as_ref()).unwrap());
                }
                Event::Stats(event) => {
                    let details = event.details().unwrap();
                    assert_eq!(details.bytes_returned(), i64::try_from(records.len()).ok());
                    assert_eq!(details.bytes_scanned(), Some(31));
                }
                Event::End(_) => ended = true,
                _ => {}
            }
        }
        assert!(ended);
        Ok(records)
    };
    let json = || OutputSerialization::builder().json(JsonOutput::builder().build()).build();
    let csv = || OutputSerialization::builder().csv(CsvOutput::builder().build()).build();
    let found = select("SELECT name FROM S3Object s WHERE CAST(s.age AS INT) > 6", json()).await;
    assert_eq!(found.unwrap(), "{\"name\":\"ann\"}\n{\"name\":\"c, d\"}\n");
    assert_eq!(select("SELECT * FROM S3Object LIMIT 3", csv()).await.unwrap(), "ann,30\nbob,5\n\"c, d\",7\n");
    assert_eq!(select("SELECT count(*) FROM S3Object", json()).await.unwrap(), "{\"_1\":3}\n");
    assert_eq!(select("SELECT * FROM S3Object WHERE age = '1'", csv()).await.unwrap(), "");
    assert_eq!(select("SELECT FROM", csv()).await.unwrap_err(), "ParseSelectFailure");
}
