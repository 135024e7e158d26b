//! Export tasks: the events of a group as gzipped files in S3. A task has ended when it is answered.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;
use serde_json::{Value, json};

use super::store::Group;
use super::{Answer, no_group, page};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::time::{date_time_of, millis};

const FAMILY: &str = "logs export task";
/// How many tasks are remembered.
const MAX_TASKS: usize = 1000;
/// About how much text a file holds.
const MAX_FILE: usize = 64 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Create {
    task_name: Option<String>,
    log_group_name: String,
    log_stream_name_prefix: Option<String>,
    from: i64,
    to: i64,
    destination: String,
    destination_prefix: Option<String>,
}

pub(super) fn create(core: &Core, request: Create) -> Answer {
    let group = &request.log_group_name;
    core.logs.read(|groups| groups.contains_key(group).then_some(()).ok_or_else(no_group))?;
    let bucket = &request.destination;
    if !core.s3.bucket_exists(bucket) {
        let message = "The given bucket does not exist. Please make sure the bucket is valid.";
        return Err(AwsError::invalid_parameter(message));
    }
    if request.from > request.to {
        return Err(AwsError::invalid_parameter("The specified time range is invalid: from must not be after to."));
    }
    let id = core.unique_id();
    let created = millis(core.clock.now());
    let below = |path: &str| match &request.destination_prefix {
        Some(prefix) => format!("{prefix}/{path}"),
        None => path.to_owned(),
    };
    let files = core.logs.read(|groups| Ok(files(groups.get(group).ok_or_else(no_group)?, &request)))?;
    let store = |key: &str, body: Bytes| core.s3.store(bucket, key, core.s3.prepare(body, None));
    let mut stored = store(&below("aws-logs-write-test"), Bytes::from_static(b"Permission Check Successful"));
    let folder = request.destination_prefix.as_deref().unwrap_or("exportedlogs");
    for (path, text) in files {
        stored &= store(&format!("{folder}/{id}/{path}"), gzip(&text));
    }
    let (code, message) = match stored {
        true => ("COMPLETED", "Completed successfully"),
        false => ("FAILED", "The bucket was deleted meanwhile."),
    };
    let mut task = json!({
        "taskId": id,
        "logGroupName": group,
        "from": request.from,
        "to": request.to,
        "destination": bucket,
        "destinationPrefix": folder,
        "status": {"code": code, "message": message},
        "executionInfo": {"creationTime": created, "completionTime": millis(core.clock.now())},
    });
    if let Some(name) = &request.task_name {
        task["taskName"] = json!(name);
    }
    core.documents.change(core, FAMILY, |all| {
        all.put(&id, task);
        let oldest = |all: &crate::local::documents::Family| {
            let created = |task: &Value| task["executionInfo"]["creationTime"].as_i64();
            all.iter().min_by_key(|(_, task)| created(task)).map(|(id, _)| id.clone())
        };
        if all.all().len() > MAX_TASKS
            && let Some(oldest) = oldest(all.all())
        {
            all.remove(&oldest);
        }
    });
    Ok(json!({"taskId": id}))
}

/// The files of each stream: `stream/000000.gz`, with slashes of the stream's name as dashes.
fn files(group: &Group, request: &Create) -> Vec<(String, String)> {
    let prefix = request.log_stream_name_prefix.as_deref().unwrap_or_default();
    let mut files = Vec::new();
    for (name, stream) in group.streams.iter().filter(|(name, _)| name.starts_with(prefix)) {
        let folder = name.replace('/', "-");
        let (mut text, mut number) = (String::new(), 0);
        for ((at, _), event) in stream.events.range((request.from, 0)..(request.to, 0)) {
            text.push_str(&format!("{}Z {}\n", date_time_of(*at), event.message));
            if text.len() > MAX_FILE {
                files.push((format!("{folder}/{number:06}.gz"), std::mem::take(&mut text)));
                number += 1;
            }
        }
        if !text.is_empty() {
            files.push((format!("{folder}/{number:06}.gz"), text));
        }
    }
    files
}

fn gzip(text: &str) -> Bytes {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let _ = packed.write_all(text.as_bytes());
    Bytes::from(packed.finish().unwrap_or_default())
}

fn missing() -> AwsError {
    AwsError::new(400, "ResourceNotFoundException", "The specified export task does not exist.")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cancel {
    task_id: String,
}

/// `CancelExportTask`: all tasks have ended when somebody could cancel them.
pub(super) fn cancel(core: &Core, request: Cancel) -> Answer {
    core.documents.get(FAMILY, &request.task_id).ok_or_else(missing)?;
    let message = "The specified export task has already finished";
    Err(AwsError::new(400, "InvalidOperationException", message))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    task_id: Option<String>,
    status_code: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

pub(super) fn describe(core: &Core, request: Describe) -> Answer {
    core.documents.read(FAMILY, |all| {
        let wanted = |(id, task): &(&String, &Value)| {
            request.task_id.as_ref().is_none_or(|only| only == *id)
                && request.status_code.as_ref().is_none_or(|code| task["status"]["code"] == code.as_str())
        };
        let found = all.iter().filter(wanted).map(|(id, task)| (id.clone(), task.clone())).collect();
        page(found, false, "exportTasks", request.limit.unwrap_or(50), request.next_token.as_deref())
    })
}
