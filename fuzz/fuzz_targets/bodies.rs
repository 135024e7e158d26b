//! Any bytes as the body of a request, by each protocol: its first byte says which.
#![no_main]

use std::cell::RefCell;

use aws_smithy_types::body::SdkBody;
use libfuzzer_sys::fuzz_target;
use sagemaker_fuzz::{World, request};

/// A head for each parser of bodies.
const HEADS: [&str; 23] = [
    "PUT /bucket/key\nx-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\nx-amz-trailer: x-amz-checksum-crc32",
    "PUT /bucket/key\nx-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\nx-amz-decoded-content-length: 5",
    "POST /bucket\ncontent-type: multipart/form-data; boundary=b",
    "POST /bucket?delete",
    "PUT /bucket?tagging",
    "PUT /bucket?lifecycle",
    "PUT /bucket?cors",
    "PUT /bucket?policy",
    "PUT /bucket?acl",
    "PUT /bucket?notification",
    "PUT /bucket?encryption",
    "PUT /bucket/key?tagging",
    "POST /bucket/key?uploadId=1",
    "POST /bucket/key?restore",
    "POST /service/GraniteServiceVersion20100801/operation/PutMetricData\nsmithy-protocol: rpc-v2-cbor\ncontent-type: application/cbor",
    "POST /service/GraniteServiceVersion20100801/operation/GetMetricData\nsmithy-protocol: rpc-v2-cbor\ncontent-type: application/cbor\ncontent-encoding: gzip",
    "POST /\nauthorization: AWS4-HMAC-SHA256 Credential=a/20260102/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0",
    "POST /\nauthorization: AWS4-HMAC-SHA256 Credential=a/20260102/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0",
    "POST /\nauthorization: AWS4-HMAC-SHA256 Credential=a/20260102/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0",
    "POST /\nx-amz-target: Logs_20140328.PutLogEvents",
    "POST /\nx-amz-target: Logs_20140328.FilterLogEvents",
    "POST /\nx-amz-target: SageMaker.CreateTrainingJob",
    "POST /endpoints/e/invocations-response-stream\ncontent-type: text/csv",
];

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

fuzz_target!(|bytes: &[u8]| {
    let Some((which, body)) = bytes.split_first() else { return };
    let head = HEADS[usize::from(*which) % HEADS.len()];
    let request = request(head.as_bytes()).expect("a request");
    let request = request.map(|_| SdkBody::from(body.to_vec()));
    WORLD.with_borrow_mut(|world| world.answer(request));
});
