use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType};

use super::*;

#[tokio::test]
async fn every_algorithm_makes_the_round_trip() {
    let Fixture { client, .. } = Fixture::new();
    for algorithm in ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] {
        let put = client.put_object().bucket("data").key(algorithm).body(ByteStream::from_static(b"123456789"));
        let put = put.checksum_algorithm(ChecksumAlgorithm::from(algorithm)).send().await.unwrap();
        assert_eq!(put.checksum_type(), Some(&ChecksumType::FullObject), "{algorithm}");
        let get = client.get_object().bucket("data").key(algorithm).checksum_mode(ChecksumMode::Enabled);
        let get = get.send().await.unwrap();
        let values = [
            (get.checksum_crc32(), put.checksum_crc32()),
            (get.checksum_crc32_c(), put.checksum_crc32_c()),
            (get.checksum_crc64_nvme(), put.checksum_crc64_nvme()),
            (get.checksum_sha1(), put.checksum_sha1()),
            (get.checksum_sha256(), put.checksum_sha256()),
        ];
        assert_eq!(values.iter().filter(|(got, _)| got.is_some()).count(), 1, "{algorithm}");
        assert!(values.iter().all(|(got, given)| got == given), "{algorithm}");
        // The client checks the content against the checksum itself.
        assert_eq!(get.body.collect().await.unwrap().to_vec(), b"123456789", "{algorithm}");
    }
}

#[tokio::test]
async fn without_one_there_is_a_default() {
    let fixture = Fixture::new();
    let request = http::Request::put("http://data.s3.localhost/a").body("123456789").unwrap();
    assert_eq!(fixture.send(request).await.0.status, 200);
    let head = fixture.client.head_object().bucket("data").key("a").checksum_mode(ChecksumMode::Enabled).send();
    assert_eq!(head.await.unwrap().checksum_crc64_nvme(), Some("rosUhgp5mIg="));

    let unasked = http::Request::head("http://data.s3.localhost/a").body("").unwrap();
    assert!(!fixture.send(unasked).await.0.headers.contains_key("x-amz-checksum-crc64nvme"));
    let part = http::Request::get("http://data.s3.localhost/a").header("range", "bytes=0-1");
    let part = part.header("x-amz-checksum-mode", "ENABLED").body("").unwrap();
    assert!(!fixture.send(part).await.0.headers.contains_key("x-amz-checksum-crc64nvme"));
}

#[tokio::test]
async fn what_does_not_match_is_refused() {
    let Fixture { s3, client, .. } = Fixture::new();
    let put = || client.put_object().bucket("data").key("a").body(ByteStream::from_static(b"hello"));
    let message = assert_refused!(put().checksum_crc32("AAAAAA==").send().await, 400, "BadDigest");
    assert_eq!(message, "The CRC32 you specified did not match the calculated checksum.");
    let message = assert_refused!(put().checksum_sha256("AAAA").send().await, 400, "InvalidRequest");
    assert_eq!(message, "Value for x-amz-checksum-sha256 header is invalid.");
    let md5 = put().content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await;
    assert_eq!(assert_refused!(md5, 400, "BadDigest"), "The Content-MD5 you specified did not match what we received.");
    assert_refused!(put().content_md5("short").send().await, 400, "InvalidDigest");
    assert_eq!(s3.get("data", "a"), None);
    put().content_md5("XUFAKrxLKna5cZ2REBfFkg==").send().await.unwrap();
}

#[tokio::test]
async fn headers_of_digests_are_checked_on_any_request() {
    let fixture = Fixture::new();
    let zeros = "0".repeat(64);
    for (headers, code) in [
        (vec![("x-amz-content-sha256", zeros.as_str())], "XAmzContentSHA256Mismatch"),
        (vec![("x-amz-checksum-crc32", "NhCmhg=="), ("x-amz-checksum-sha1", "x")], "InvalidRequest"),
        (vec![("x-amz-sdk-checksum-algorithm", "SHA256")], "InvalidRequest"),
        (vec![("x-amz-checksum-crc32", "not base64!")], "InvalidRequest"),
    ] {
        let mut request = http::Request::put("http://data.s3.localhost/a").body("hello").unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let (parts, body) = fixture.send(request).await;
        assert_eq!(parts.status, 400);
        assert!(body.contains(&format!("<Code>{code}</Code>")), "{code}: {body}");
    }
}
