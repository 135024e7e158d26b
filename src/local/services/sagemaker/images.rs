//! Versions of images, and their aliases.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;
use crate::local::listing;
use crate::local::state::{Identity, Resource, State, text};

pub(super) static OPERATIONS: &[Own] = &[
    ("CreateImageVersion", create),
    ("DescribeImageVersion", |core, request| {
        let row = Kind::ImageVersion.row();
        Ok(table::answer("DescribeImageVersion", row, find(core, &core.state(), request)?))
    }),
    ("UpdateImageVersion", |core, request| update(core, request)),
    ("DeleteImageVersion", |core, request| {
        let key = find(core, &core.state(), request)?.key.clone();
        table::delete_named(core, "DeleteImageVersion", Kind::ImageVersion.row(), &key)
    }),
    ("ListImageVersions", |core, request| {
        let row = Kind::ImageVersion.row();
        let state = core.state();
        let image = table::find(core, &state, Kind::Image.row(), request)?;
        listing::list_some(state.of_parent(row, &image.key), row, "ListImageVersions", request)
    }),
    ("ListAliases", |core, request| aliases(core, request)),
];

/// The greatest version that an image has had: no number is used twice.
const LAST_VERSION: &str = "LastVersion";

fn create(core: &Arc<Core>, request: &Value) -> Answer {
    let row = Kind::ImageVersion.row();
    let image = text(request, "ImageName")?;
    {
        // The same token again is the same version again.
        let state = core.state();
        let image = state.get(Kind::Image.row(), &core.place, image)?;
        let token = request.get("ClientToken");
        let known = state.of_parent(row, &image.key).find(|version| version.request.get("ClientToken") == token);
        if let Some(known) = known {
            return Ok(json!({"ImageVersionArn": known.arn}));
        }
    }
    table::create_as(core, "CreateImageVersion", row, request, |state| {
        let image = state.get_mut(Kind::Image.row(), &core.place, image)?;
        let version = image.state.get(LAST_VERSION).and_then(Value::as_u64).unwrap_or_default() + 1;
        image.set(LAST_VERSION, version);
        let key = format!("{}/{version}", image.key);
        let (image_key, image_arn, name) = (image.key.clone(), image.arn.clone(), image.name.clone());
        take_aliases(state, &image_key, request.get("Aliases"));
        let container = format!("{}@version-{version}", text(request, "BaseImage")?);
        let members = Map::from_iter([
            ("Version".to_owned(), json!(version)),
            ("ImageArn".to_owned(), json!(image_arn)),
            ("ContainerImage".to_owned(), json!(container)),
        ]);
        Ok((Identity { arn: row.arn(&core.place, &key), key, name }, members))
    })
}

/// An alias names one version: what a new one takes, others lose.
fn take_aliases(state: &mut State, image: &str, aliases: Option<&Value>) {
    let row = Kind::ImageVersion.row();
    let taken: Vec<Value> = aliases.and_then(Value::as_array).cloned().unwrap_or_default();
    let keys: Vec<String> = state.of_parent(row, image).map(|version| version.key.clone()).collect();
    for key in keys {
        let version = state.by_key_mut(row, &key);
        let own = version.and_then(|version| version.request.get_mut("Aliases")?.as_array_mut());
        if let Some(own) = own {
            own.retain(|alias| !taken.contains(alias));
        }
    }
}

/// The version that a request names by number or alias; the newest if it names none.
fn find<'a>(core: &Core, state: &'a State, request: &Value) -> Result<&'a Resource, AwsError> {
    let row = Kind::ImageVersion.row();
    let image = table::find(core, state, Kind::Image.row(), request)?;
    let mut versions = state.of_parent(row, &image.key);
    let number = |version: &&Resource| version.state.get("Version").and_then(Value::as_u64);
    let found = match (request.get("Version"), request.get("Alias")) {
        (Some(asked), _) => versions.find(|version| number(version) == asked.as_u64()),
        (None, Some(alias)) => versions.find(|version| aliases_of(version).contains(alias)),
        (None, None) => versions.max_by_key(number),
    };
    let missing = || {
        let asked = request.get("Version").or_else(|| request.get("Alias")).map(ToString::to_string);
        AwsError::resource_not_found(format!("Image {} has no version {}.", image.arn, asked.unwrap_or_default()))
    };
    found.ok_or_else(missing)
}

fn aliases_of(version: &Resource) -> &[Value] {
    version.request.get("Aliases").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn update(core: &Core, request: &Value) -> Answer {
    let row = Kind::ImageVersion.row();
    core.change(|state| {
        let found = find(core, state, request)?;
        let (key, image) = (found.key.clone(), found.key.rsplit_once('/').map_or("", |(image, _)| image).to_owned());
        take_aliases(state, &image, request.get("AliasesToAdd"));
        let version = state.get_mut(row, &core.place, &key)?;
        let mut aliases = aliases_of(version).to_vec();
        let listed = |member: &str| request.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
        aliases.extend(listed("AliasesToAdd"));
        aliases.retain(|alias| !listed("AliasesToDelete").contains(alias));
        version.request.insert("Aliases".to_owned(), Value::Array(aliases));
        for member in
            ["VendorGuidance", "JobType", "MLFramework", "ProgrammingLang", "Processor", "Horovod", "ReleaseNotes"]
        {
            if let Some(value) = request.get(member) {
                version.request.insert(member.to_owned(), value.clone());
            }
        }
        version.modified = core.clock.now();
        Ok(json!({"ImageVersionArn": version.arn}))
    })
}

fn aliases(core: &Core, request: &Value) -> Answer {
    let row = Kind::ImageVersion.row();
    let state = core.state();
    let image = table::find(core, &state, Kind::Image.row(), request)?;
    let of_version = request.get("Version").and_then(Value::as_u64);
    let versions = state
        .of_parent(row, &image.key)
        .filter(|version| of_version.is_none() || version.state.get("Version").and_then(Value::as_u64) == of_version);
    let mut aliases: Vec<Value> = versions.flat_map(|version| aliases_of(version).to_vec()).collect();
    if let Some(alias) = request.get("Alias") {
        aliases.retain(|known| known == alias);
    }
    listing::page("ListAliases", &aliases, request)
}
