//! What belongs to an account as a whole.

use serde_json::{Map, Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;
use crate::local::listing;
use crate::local::state::{Identity, text};
use crate::local::time::{millis_of, timestamp};

pub(super) static OPERATIONS: &[Own] = &[
    ("EnableSagemakerServicecatalogPortfolio", |core, _| set_portfolio(core, true)),
    ("DisableSagemakerServicecatalogPortfolio", |core, _| set_portfolio(core, false)),
    ("GetSagemakerServicecatalogPortfolioStatus", |core, _| {
        let enabled = core.state().all(Kind::ServicecatalogPortfolio).next().is_some();
        Ok(json!({"Status": if enabled { "Enabled" } else { "Disabled" }}))
    }),
    ("ListResourceCatalogs", |core, request| catalogs(core, request)),
    // Teams of vendors are bought in the AWS Marketplace: an account that never was there has none.
    ("ListSubscribedWorkteams", |_, request| listing::page("ListSubscribedWorkteams", &[], request)),
    ("DescribeSubscribedWorkteam", |_, request| {
        let arn = text(request, "WorkteamArn")?;
        Err(AwsError::validation(format!("The work team \"{arn}\" was not found.")))
    }),
    ("ListInferenceRecommendationsJobSteps", |core, request| {
        // Nothing is benchmarked, so that there are no steps.
        table::find(core, &core.state(), Kind::InferenceRecommendationsJob.row(), request)?;
        Ok(json!({"Steps": []}))
    }),
];

/// The portfolio is enabled while there is a record of it.
fn set_portfolio(core: &Core, enabled: bool) -> Answer {
    const NAME: &str = "portfolio";
    let row = Kind::ServicecatalogPortfolio.row();
    core.change(|state| {
        let known = state.get(row, &core.place, NAME).is_ok();
        if enabled && !known {
            let identity = Identity { key: NAME.to_owned(), name: NAME.to_owned(), arn: row.arn(&core.place, NAME) };
            state.insert_as(row, &core.place, core.clock.now(), identity, &json!({}), Map::new())?;
        } else if !enabled && known {
            state.remove(row, &core.place, NAME)?;
        }
        Ok(json!({}))
    })
}

/// `ListResourceCatalogs`: the catalog of all feature groups, once there is one.
fn catalogs(core: &Core, request: &Value) -> Answer {
    const NAME: &str = "DefaultFeatureGroupCatalog";
    let created = core.state().all(Kind::FeatureGroup).map(|group| group.created).min();
    let bound = |filter: &str| request.get(filter).and_then(millis_of);
    let found: Vec<Value> = created
        .map(timestamp)
        .filter(|created| {
            let at = millis_of(created).unwrap_or_default();
            let named = request.get("NameContains").and_then(Value::as_str).is_none_or(|part| NAME.contains(part));
            named
                && bound("CreationTimeAfter").is_none_or(|first| first <= at)
                && bound("CreationTimeBefore").is_none_or(|last| at <= last)
        })
        .map(|created| {
            json!({
                "ResourceCatalogArn": core.place.arn(&format!("sagemaker-catalog/{NAME}")),
                "ResourceCatalogName": NAME,
                "Description": "All feature groups of the account.",
                "CreationTime": created,
            })
        })
        .into_iter()
        .collect();
    listing::page("ListResourceCatalogs", &found, request)
}
