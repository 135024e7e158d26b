//! What a training job leaves in S3.

use std::sync::Arc;

use bytes::Bytes;

use super::super::Run;
use crate::local::archive;
use crate::local::engines::{SaveCheckpoint, TrainingOutput};
use crate::local::s3::Prepared;
use crate::types::S3Uri;

const MODEL: &str = "model.tar.gz";

/// Where a job's outputs go, and in which form.
#[derive(Debug, Clone)]
pub(in crate::local) struct OutputPlan {
    pub(in crate::local) place: S3Uri,
    /// Files instead of archives (`CompressionType` `NONE`).
    pub(in crate::local) plain: bool,
    pub(in crate::local) checkpoints: Option<S3Uri>,
}

impl OutputPlan {
    /// Where the model of a job is: an archive, or a folder.
    pub(super) fn model(&self, job: &str) -> S3Uri {
        self.folder(job).join(if self.plain { "model" } else { MODEL })
    }

    fn folder(&self, job: &str) -> S3Uri {
        self.place.join(job).join("output")
    }
}

/// Packs and stores what the engine left.
pub(super) async fn upload(run: &Run, plan: &OutputPlan, output: TrainingOutput) -> Result<(), String> {
    let (folder, model, plain) = (plan.folder(&run.owner.name), plan.model(&run.owner.name), plan.plain);
    let owner = run.owner.clone();
    let stored = run.work(move || {
        let s3 = &owner.core.s3;
        let mut objects: Vec<(S3Uri, Prepared)> = Vec::new();
        if plain {
            for (folder, files) in [(model, output.model), (folder.join("data"), output.data)] {
                for (path, content) in files {
                    objects.push((folder.join(&path), s3.prepare(content, None)));
                }
            }
        } else {
            let pack = |place: &S3Uri, files: &[(String, Bytes)]| {
                let packed = archive::pack(files).map_err(|why| format!("ClientError: Cannot pack {place}: {why}"))?;
                Ok::<_, String>(s3.prepare(packed, Some("application/x-tar")))
            };
            let archive = pack(&model, &output.model)?;
            objects.push((model, archive));
            if !output.data.is_empty() {
                let place = folder.join("output.tar.gz");
                let archive = pack(&place, &output.data)?;
                objects.push((place, archive));
            }
        }
        for (place, object) in objects {
            if owner.act(|core| core.s3.store(place.bucket(), place.key(), object)) == Some(false) {
                let bucket = place.bucket();
                return Err(format!("ClientError: Artifact upload failed: the bucket {bucket} does not exist"));
            }
        }
        Ok(())
    });
    stored.await.unwrap_or_else(|panic| Err(format!("InternalServerError: {panic}")))
}

/// Stores a checkpoint as soon as there is one; nowhere if the job keeps none.
pub(super) fn save_checkpoint(run: &Run, plan: &OutputPlan) -> SaveCheckpoint {
    let Some(place) = plan.checkpoints.clone() else { return Arc::new(|_, _| {}) };
    let (owner, closed) = (run.owner.clone(), run.owner.closed());
    Arc::new(move |path, content| {
        if closed() {
            return;
        }
        let place = place.join(path);
        let object = owner.core.s3.prepare(content, None);
        owner.act(|core| core.s3.store(place.bucket(), place.key(), object));
    })
}
