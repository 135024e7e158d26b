use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart, ObjectAttributes,
    ServerSideEncryption,
};

use super::*;
use crate::local::s3::checksum::{Algorithm, Checksum, hex, md5};
use crate::local::s3::multipart::MIN_PART;

fn completed(parts: impl IntoIterator<Item = CompletedPart>) -> CompletedMultipartUpload {
    CompletedMultipartUpload::builder().set_parts(Some(parts.into_iter().collect())).build()
}

fn part(number: i32, etag: &str) -> CompletedPart {
    CompletedPart::builder().part_number(number).e_tag(etag).build()
}

/// Begins an upload without a checksum of its own.
async fn begin(fixture: &Fixture, key: &str) -> String {
    let uri = format!("http://data.s3.localhost/{key}?uploads");
    let (parts, body) = fixture.send(http::Request::post(uri).body("").unwrap()).await;
    assert_eq!(parts.status, 200);
    body.split("<UploadId>").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

async fn upload(fixture: &Fixture, key: &str, id: &str, number: i32, body: Vec<u8>) -> String {
    let part = fixture.client.upload_part().bucket("data").key(key).upload_id(id).part_number(number);
    part.body(ByteStream::from(body)).send().await.unwrap().e_tag().unwrap().to_owned()
}

#[tokio::test]
async fn parts_become_an_object() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    let create = client.create_multipart_upload().bucket("data").key("big").content_type("text/x").metadata("k", "v");
    let create = create.checksum_algorithm(ChecksumAlgorithm::Crc32).tagging("t=1").send().await.unwrap();
    assert_eq!(create.server_side_encryption(), Some(&ServerSideEncryption::Aes256));
    assert_eq!(create.checksum_type(), Some(&ChecksumType::Composite));
    let id = create.upload_id().unwrap();
    let contents = [vec![b'a'; MIN_PART], b"tail".to_vec()];
    let mut parts = Vec::new();
    // Parts come in any order and may be numbered with gaps.
    for (number, content) in [(7, &contents[1]), (2, &contents[0])] {
        let put = client.upload_part().bucket("data").key("big").upload_id(id).part_number(number);
        let put = put.checksum_algorithm(ChecksumAlgorithm::Crc32);
        let put = put.body(ByteStream::from(content.clone())).send().await.unwrap();
        let part = CompletedPart::builder().part_number(number).e_tag(put.e_tag().unwrap());
        parts.push(part.checksum_crc32(put.checksum_crc32().unwrap()).build());
    }
    parts.reverse();
    assert_eq!(fixture.s3.get("data", "big"), None, "not before it is complete");

    let complete = || client.complete_multipart_upload().bucket("data").key("big").upload_id(id);
    let done = complete().multipart_upload(completed(parts.clone())).send().await.unwrap();
    let digests: Vec<u8> = contents.iter().flat_map(|content| md5(content)).collect();
    let etag = format!("\"{}-2\"", hex(&md5(&digests)));
    assert_eq!(done.e_tag(), Some(etag.as_str()));
    assert_eq!(done.location(), Some("https://data.s3.us-east-1.amazonaws.com/big"));
    let checksums = contents.iter().map(|content| Checksum::of(Algorithm::Crc32, content)).collect::<Vec<_>>();
    let composite = Checksum::composite(Algorithm::Crc32, &checksums).value;
    assert_eq!(done.checksum_crc32(), Some(&*composite));

    assert_eq!(fixture.s3.get("data", "big").as_deref(), Some(contents.concat().as_slice()));
    let get = client.get_object().bucket("data").key("big").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!((get.content_type(), get.tag_count(), get.e_tag()), (Some("text/x"), Some(1), Some(etag.as_str())));
    assert_eq!(get.checksum_type(), Some(&ChecksumType::Composite));
    let second = client.get_object().bucket("data").key("big").part_number(2).send().await.unwrap();
    assert_eq!((second.parts_count(), second.content_length()), (Some(2), Some(4)));
    assert_eq!(second.body.collect().await.unwrap().to_vec(), b"tail");
    let attributes = client.get_object_attributes().bucket("data").key("big").max_parts(1);
    let attributes = attributes.object_attributes(ObjectAttributes::ObjectParts).send().await.unwrap();
    let listed = attributes.object_parts().unwrap();
    assert_eq!((listed.total_parts_count(), listed.is_truncated(), listed.parts().len()), (Some(2), Some(true), 1));
    assert_eq!((listed.parts()[0].part_number(), listed.parts()[0].size()), (Some(1), Some(MIN_PART as i64)));
    assert_eq!(listed.parts()[0].checksum_crc32(), Some(&*checksums[0].value));
    let third = client.get_object().bucket("data").key("big").part_number(3).send().await;
    assert_refused!(third, 416, "InvalidPartNumber");

    // A client that lost the answer asks again.
    let again = complete().multipart_upload(completed(parts)).send().await.unwrap();
    assert_eq!(again.e_tag(), done.e_tag());
    // A copy is of one piece.
    let copy = client.copy_object().copy_source("data/big").bucket("data").key("copy").send().await.unwrap();
    let expected = format!("\"{}\"", hex(&md5(&contents.concat())));
    assert_eq!(copy.copy_object_result().unwrap().e_tag(), Some(expected.as_str()));
}

#[tokio::test]
async fn a_checksum_may_cover_the_object() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    let create = client.create_multipart_upload().bucket("data").key("big").checksum_type(ChecksumType::FullObject);
    let create = create.checksum_algorithm(ChecksumAlgorithm::Crc32C).send().await.unwrap();
    let id = create.upload_id().unwrap();
    let first_part = || client.upload_part().bucket("data").key("big").upload_id(id).part_number(1);
    let other = first_part().checksum_algorithm(ChecksumAlgorithm::Sha256);
    let message = assert_refused!(other.body(ByteStream::from_static(b"x")).send().await, 400, "InvalidRequest");
    assert_eq!(
        message,
        "Checksum Type mismatch occurred, expected checksum Type: crc32c, actual checksum Type: sha256"
    );
    let put = first_part().checksum_algorithm(ChecksumAlgorithm::Crc32C).body(ByteStream::from_static(b"123456789"));
    let etag = put.send().await.unwrap().e_tag().unwrap().to_owned();
    let complete = || {
        let complete = client.complete_multipart_upload().bucket("data").key("big").upload_id(id);
        complete.multipart_upload(completed([part(1, &etag)]))
    };
    assert_refused!(complete().checksum_crc32_c("AAAAAA==").send().await, 400, "BadDigest");
    assert_refused!(complete().mpu_object_size(7).send().await, 400, "InvalidRequest");
    let done = complete().checksum_crc32_c("4waSgw==").mpu_object_size(9).send().await.unwrap();
    assert_eq!((done.checksum_crc32_c(), done.checksum_type()), (Some("4waSgw=="), Some(&ChecksumType::FullObject)));
}

#[tokio::test]
async fn composite_checksums_need_those_of_the_parts() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    let create = client.create_multipart_upload().bucket("data").key("a").checksum_algorithm(ChecksumAlgorithm::Sha256);
    let id = create.send().await.unwrap().upload_id().unwrap().to_owned();
    let put = client.upload_part().bucket("data").key("a").upload_id(&id).part_number(1);
    let put = put.checksum_algorithm(ChecksumAlgorithm::Sha256).body(ByteStream::from_static(b"x"));
    let etag = put.send().await.unwrap().e_tag().unwrap().to_owned();
    let complete = client.complete_multipart_upload().bucket("data").key("a").upload_id(&id);
    let complete = complete.multipart_upload(completed([part(1, &etag)])).send().await;
    let message = assert_refused!(complete, 400, "InvalidRequest");
    assert!(message.starts_with("The upload was created using a sha256 checksum."), "{message}");
}

#[tokio::test]
async fn what_does_not_fit_together_is_refused() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    let id = begin(&fixture, "a").await;
    let one = upload(&fixture, "a", &id, 1, b"small".to_vec()).await;
    let two = upload(&fixture, "a", &id, 2, b"last".to_vec()).await;
    let complete = |parts: Vec<CompletedPart>| {
        let complete = client.complete_multipart_upload().bucket("data").key("a").upload_id(&id);
        complete.multipart_upload(completed(parts)).send()
    };
    let message = assert_refused!(complete(vec![part(2, &two), part(1, &one)]).await, 400, "InvalidPartOrder");
    assert!(message.starts_with("The list of parts was not in ascending order."));
    assert_refused!(complete(vec![part(1, &one), part(1, &one)]).await, 400, "InvalidPartOrder");
    assert_refused!(complete(vec![part(1, &one), part(3, &two)]).await, 400, "InvalidPart");
    assert_refused!(complete(vec![part(1, &two)]).await, 400, "InvalidPart");
    let message = assert_refused!(complete(vec![part(1, &one), part(2, &two)]).await, 400, "EntityTooSmall");
    assert_eq!(message, "Your proposed upload is smaller than the minimum allowed size");
    assert_refused!(complete(vec![]).await, 400, "MalformedXML");
    for number in [0, 10_001] {
        let bad = client.upload_part().bucket("data").key("a").upload_id(&id).part_number(number).send().await;
        assert_refused!(bad, 400, "InvalidArgument");
    }
    fixture.put("a", "in the way").await;
    let exclusive = client.complete_multipart_upload().bucket("data").key("a").upload_id(&id).if_none_match("*");
    let exclusive = exclusive.multipart_upload(completed([part(2, &two)])).send().await;
    assert_refused!(exclusive, 412, "PreconditionFailed");
    // A part alone is the last one, and parts that are not named are dropped.
    complete(vec![part(2, &two)]).await.unwrap();
    assert_eq!(fixture.s3.get("data", "a").as_deref(), Some(b"last".as_slice()));
}

#[tokio::test]
async fn an_upload_can_be_given_up() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    let id = begin(&fixture, "a").await;
    let abort = || client.abort_multipart_upload().bucket("data").key("a").upload_id(&id).send();
    // Uploads do not keep a bucket alive.
    abort().await.unwrap();
    let message = assert_refused!(abort().await, 404, "NoSuchUpload");
    assert!(message.starts_with("The specified upload does not exist."));
    let late = client.upload_part().bucket("data").key("a").upload_id(&id).part_number(1).send().await;
    assert_refused!(late, 404, "NoSuchUpload");
    let list = client.list_parts().bucket("data").key("a").upload_id(&id).send().await;
    assert_refused!(list, 404, "NoSuchUpload");
}

#[tokio::test]
async fn parts_can_be_copied() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    fixture.put("source", "0123456789").await;
    let id = begin(&fixture, "a").await;
    let copy = |number| {
        let copy = client.upload_part_copy().bucket("data").key("a").upload_id(&id).part_number(number);
        copy.copy_source("data/source")
    };
    let done = copy(1).copy_source_range("bytes=2-4").send().await.unwrap();
    let etag = done.copy_part_result().unwrap().e_tag().unwrap().to_owned();
    assert_refused!(copy(2).copy_source_range("bytes=2-10").send().await, 400, "InvalidArgument");
    assert_refused!(copy(2).copy_source_range("bytes=2-").send().await, 400, "InvalidArgument");
    assert_refused!(copy(2).copy_source_if_none_match("*").send().await, 412, "PreconditionFailed");
    let complete = client.complete_multipart_upload().bucket("data").key("a").upload_id(&id);
    complete.multipart_upload(completed([part(1, &etag)])).send().await.unwrap();
    assert_eq!(fixture.s3.get("data", "a").as_deref(), Some(b"234".as_slice()));
}

#[tokio::test]
async fn parts_and_uploads_are_listed() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    let (first, second) = (begin(&fixture, "a").await, begin(&fixture, "a").await);
    begin(&fixture, "dir/b").await;
    for number in [3, 1, 2] {
        upload(&fixture, "a", &first, number, vec![b'x'; number as usize]).await;
    }
    let mut pages = client.list_parts().bucket("data").key("a").upload_id(&first).max_parts(2).into_paginator().send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        listed.extend(page.unwrap().parts().iter().map(|part| (part.part_number().unwrap(), part.size().unwrap())));
    }
    assert_eq!(listed, [(1, 1), (2, 2), (3, 3)]);

    let list = || client.list_multipart_uploads().bucket("data");
    let all = list().send().await.unwrap();
    let ids: Vec<_> = all.uploads().iter().filter_map(|upload| upload.upload_id()).collect();
    assert_eq!(ids[..2], [first.as_str(), second.as_str()], "those of a key in the order of time");
    assert_eq!(all.uploads()[2].key(), Some("dir/b"));
    let page = list().max_uploads(1).send().await.unwrap();
    assert_eq!((page.is_truncated(), page.next_key_marker()), (Some(true), Some("a")));
    assert_eq!(page.next_upload_id_marker(), Some(first.as_str()));
    let next = list().key_marker("a").upload_id_marker(&first).delimiter("/").send().await.unwrap();
    assert_eq!((next.uploads().len(), next.common_prefixes().len()), (1, 1));
    let behind = list().key_marker("a").send().await.unwrap();
    assert_eq!(behind.uploads().len(), 1);
    assert_eq!(list().prefix("dir/").send().await.unwrap().uploads().len(), 1);
}
