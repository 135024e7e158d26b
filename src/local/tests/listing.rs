use std::time::Duration;

use aws_sdk_sagemaker::primitives::DateTime;
use aws_sdk_sagemaker::types as sm;

use super::support::{Aws, refusal, validation};
use crate::local::LocalClock;

/// Jobs `job-0` to `job-{n-1}`, an hour apart; all but the last have ended.
async fn jobs(n: usize) -> Aws {
    let aws = Aws::with_clock(LocalClock::manual());
    for i in 0..n {
        if i > 0 {
            aws.backend.clock().advance(Duration::from_secs(3600));
            aws.backend.clock().settle().await;
        }
        aws.train(&format!("job-{i}")).send().await.unwrap();
    }
    aws
}

async fn names(
    list: aws_sdk_sagemaker::operation::list_training_jobs::builders::ListTrainingJobsFluentBuilder,
) -> Vec<String> {
    let page = list.send().await.unwrap();
    page.training_job_summaries().iter().map(|job| job.training_job_name().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn lists_are_filtered_and_sorted() {
    let aws = jobs(5).await;
    let list = || aws.sagemaker.list_training_jobs();
    assert_eq!(names(list()).await, ["job-0", "job-1", "job-2", "job-3", "job-4"], "oldest first");
    assert_eq!(names(list().sort_order(sm::SortOrder::Descending).max_results(2)).await, ["job-4", "job-3"]);
    assert_eq!(names(list().status_equals(sm::TrainingJobStatus::InProgress)).await, ["job-4"]);
    assert_eq!(names(list().name_contains("b-2")).await, ["job-2"]);
    assert_eq!(names(list().sort_by(sm::SortBy::Status)).await, ["job-0", "job-1", "job-2", "job-3", "job-4"]);
    assert_eq!(names(list().warm_pool_status_equals(sm::WarmPoolResourceStatus::Available)).await, [""; 0]);
    let created = |job: usize| {
        let aws = &aws;
        async move { aws.job(&format!("job-{job}")).await.creation_time().copied().unwrap() }
    };
    let after = created(1).await;
    let before = DateTime::from_secs(created(3).await.secs());
    assert_eq!(names(list().creation_time_after(after).creation_time_before(before)).await, ["job-1", "job-2"]);
    let modified = aws.job("job-3").await.last_modified_time().copied().unwrap();
    assert_eq!(names(list().last_modified_time_after(modified)).await, ["job-3", "job-4"]);

    let page = list().max_results(1).send().await.unwrap();
    let job = &page.training_job_summaries()[0];
    assert_eq!(job.training_job_status(), Some(&sm::TrainingJobStatus::Completed));
    assert!(job.training_end_time().is_some() && job.creation_time().is_some() && job.last_modified_time().is_some());
}

#[tokio::test]
async fn pages_stay_whole_while_jobs_come_and_go() {
    let aws = jobs(25).await;
    let first = aws.sagemaker.list_training_jobs().send().await.unwrap();
    assert_eq!(first.training_job_summaries().len(), 10, "the default page");
    aws.sagemaker.delete_training_job().training_job_name("job-9").send().await.unwrap();
    let mut pages =
        aws.sagemaker.list_training_jobs().next_token(first.next_token().unwrap()).into_paginator().items().send();
    let mut rest = Vec::new();
    while let Some(job) = pages.next().await {
        rest.push(job.unwrap().training_job_name().unwrap().to_owned());
    }
    let expected: Vec<String> = (10..25).map(|i| format!("job-{i}")).collect();
    assert_eq!(rest, expected);

    let invalid = validation("The specified NextToken is invalid.");
    assert_eq!(refusal(aws.sagemaker.list_training_jobs().next_token("nonsense").send().await), invalid);
    let other_order = aws
        .sagemaker
        .list_training_jobs()
        .sort_order(sm::SortOrder::Descending)
        .next_token(first.next_token().unwrap());
    assert_eq!(refusal(other_order.send().await), invalid);
    let large = aws.sagemaker.list_training_jobs().max_results(101).send().await;
    let text = "1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: Member must \
                have value less than or equal to 100";
    assert_eq!(refusal(large), validation(text));
}

#[tokio::test]
async fn other_kinds_list_the_newest_first() {
    let aws = Aws::with_clock(LocalClock::manual());
    for name in ["a", "b", "c"] {
        aws.model(name, "1").await;
        aws.config(name, &[("AllTraffic", name, 1.0)]).await;
        aws.create_endpoint(name, name).await;
        aws.backend.clock().advance(Duration::from_secs(60));
        aws.backend.clock().settle().await;
    }
    let models = aws.sagemaker.list_models().send().await.unwrap();
    assert_eq!(models.models().iter().map(|m| m.model_name().unwrap()).collect::<Vec<_>>(), ["c", "b", "a"]);
    let configs = aws.sagemaker.list_endpoint_configs().sort_by(sm::EndpointConfigSortKey::Name).send().await.unwrap();
    assert_eq!(
        configs.endpoint_configs().iter().map(|c| c.endpoint_config_name().unwrap()).collect::<Vec<_>>(),
        ["c", "b", "a"]
    );
    let up = aws.sagemaker.list_endpoints().status_equals(sm::EndpointStatus::InService).send().await.unwrap();
    assert_eq!(up.endpoints().iter().map(|e| e.endpoint_name().unwrap()).collect::<Vec<_>>(), ["c", "b", "a"]);
    assert!(up.endpoints()[0].last_modified_time() > up.endpoints()[0].creation_time());
    assert!(aws.sagemaker.list_transform_jobs().send().await.unwrap().transform_job_summaries().is_empty());
}

#[tokio::test]
async fn unknown_members_of_a_request_are_no_filters() {
    let aws = jobs(2).await;
    let request = serde_json::json!({"Foo": 1, "BarEquals": "x", "ModelName": "m"});
    let found = super::kinds::done(&aws.backend, "ListTrainingJobs", request).await;
    assert_eq!(found["TrainingJobSummaries"].as_array().unwrap().len(), 2);
}
