//! Model packages of registered algorithms: what such an algorithm has trained is served through one.

use std::time::Duration;

use aws_sdk_sagemaker::types::{
    ModelPackageStatus, ModelPackageStatusDetails, SourceAlgorithm, SourceAlgorithmSpecification,
};

use super::ModelData;
use crate::aws::ServiceCall;
use crate::poll::Polled;
use crate::session::Found;
use crate::types::{Arn, ResourceName};
use crate::{Error, ErrorKind, Result, Session};

/// The service checks a package within minutes.
const TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Makes a package of an algorithm and what it has trained, and waits until the service has checked it.
pub(super) async fn of_algorithm(
    session: &Session,
    name: &ResourceName,
    algorithm: &Arn,
    data: Option<&ModelData>,
) -> Result<()> {
    let source = SourceAlgorithm::builder()
        .algorithm_name(algorithm.as_str())
        .set_model_data_url(data.and_then(ModelData::url))
        .set_model_data_source(data.and_then(ModelData::source))
        .build();
    let request = session
        .aws()
        .sagemaker()
        .create_model_package()
        .model_package_name(name.as_str())
        .model_package_description(format!("Model Package created from training with {algorithm}"))
        .source_algorithm_specification(SourceAlgorithmSpecification::builder().source_algorithms(source).build());
    let describe = || async {
        let asked = session.aws().sagemaker().describe_model_package().model_package_name(name.as_str());
        asked.send().await.of("DescribeModelPackage")
    };
    let find = || async {
        let there = describe().await?;
        let sources = there.source_algorithm_specification().map(SourceAlgorithmSpecification::source_algorithms);
        let key = |source: &SourceAlgorithm| {
            (
                source.algorithm_name().map(str::to_owned),
                source.model_data_url().map(str::to_owned),
                source.model_data_source().cloned(),
            )
        };
        let asked = (Some(algorithm.to_string()), data.and_then(ModelData::url), data.and_then(ModelData::source));
        Ok(Found::new(there.creation_time(), sources.unwrap_or_default().iter().map(key).eq([asked])))
    };
    tracing::debug!(package = %name, "create model package");
    let call = async { request.send().await.of("CreateModelPackage") };
    session.create(format!("model package {name}"), call, find).await?;

    let what = format!("model package {name}");
    let checked = session.poller(Some(TIMEOUT)).until(&what, || async {
        let there = describe().await?;
        Ok(match there.model_package_status() {
            Some(status @ (ModelPackageStatus::Pending | ModelPackageStatus::InProgress)) => {
                Polled::Pending(status.as_str().to_owned())
            }
            _ => Polled::Ready(there),
        })
    });
    let checked = checked.await?;
    if checked.model_package_status() == Some(&ModelPackageStatus::Completed) {
        return Ok(());
    }
    let details = checked.model_package_status_details();
    let reasons = details.into_iter().flat_map(ModelPackageStatusDetails::validation_statuses);
    let reasons: Vec<&str> = reasons.filter_map(|status| status.failure_reason()).collect();
    let status = checked.model_package_status().map_or("of no status", ModelPackageStatus::as_str);
    let reasons = if reasons.is_empty() { "no reason was given".to_owned() } else { reasons.join("; ") };
    Err(Error::new(ErrorKind::Rejected, format!("the model package {name} is {status}: {reasons}")))
}
