//! The file `xgboost-model`.
//!
//! The container calls `Booster.save_model("xgboost-model")`. Without an extension XGBoost before 2.1 (image 1.7-1)
//! writes its old binary format, which present releases no longer read; since 2.1 (image 3.0-5) it writes UBJSON. This
//! engine writes UBJSON, which XGBoost reads from version 1.6 on.
//!
//! `hessboost` writes a DART model as XGBoost 3.4 does, with the trees' weights inside a `gbtree`. Releases before that
//! would load such a file and pass over the weights, so it is written and read in the older form, which all releases
//! read: `{"name": "dart", "gbtree": {..}, "weight_drop": [..]}`.

use hessboost::model::{BoostedModel, ModelFormat};
use serde_json::Value as Json;

use ubjson::Ubjson;

mod ubjson;

/// The round that early stopping chose.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Best {
    pub(super) iteration: usize,
    pub(super) score: f64,
}

/// The bytes of a model, cut back to its best round.
///
/// # Errors
/// A sentence, if XGBoost's format cannot hold the model.
pub(super) fn save(model: BoostedModel, best: Option<Best>) -> Result<Vec<u8>, String> {
    let cut = match &best {
        Some(best) => model.slice(..=best.iteration, 1),
        None => Ok(model),
    };
    let bytes = cut.and_then(|model| model.encode(ModelFormat::XgboostUbjson)).map_err(|error| error.to_string())?;
    let mut document = Ubjson::decode(&bytes)?;
    let learner = document.member_mut("learner").ok_or("the model has no learner")?;
    if let Some(best) = best {
        // What Python's EarlyStopping leaves in the model.
        let attributes = [("best_iteration", best.iteration.to_string()), ("best_score", best.score.to_string())]
            .map(|(name, value)| (name.to_owned(), Ubjson::Text(value)));
        if let Some(place) = learner.member_mut("attributes") {
            *place = Ubjson::Object(attributes.into());
        }
    }
    let booster = learner.member_mut("gradient_booster").ok_or("the model has no gradient_booster")?;
    if let Some(weights) = booster.member_mut("model").and_then(|model| model.take("weight_drop")) {
        let trees = std::mem::replace(booster, Ubjson::Object(Vec::new()));
        *booster = Ubjson::Object(vec![
            ("gbtree".to_owned(), trees),
            ("name".to_owned(), Ubjson::Text("dart".to_owned())),
            ("weight_drop".to_owned(), weights),
        ]);
    }
    Ok(document.encode())
}

/// Reads a model that this engine or Python's XGBoost wrote as UBJSON or JSON.
///
/// # Errors
/// A sentence that says what the file is, as far as it can be seen, and how to get one that can be read.
pub(super) fn load(bytes: &[u8]) -> Result<BoostedModel, String> {
    if bytes.first() == Some(&0x80) {
        return Err("it is a pickled Python object, which only Python can load: save the model with \
                    Booster.save_model"
            .to_owned());
    }
    let (bytes, format) = match ModelFormat::detect(bytes) {
        Some(format @ ModelFormat::XgboostUbjson) => (tree_ubjson(bytes)?, format),
        Some(format @ ModelFormat::XgboostJson) => (tree_json(bytes)?, format),
        _ => {
            return Err(
                "it is neither UBJSON nor JSON: models of XGBoost before 2.1 (the container before 3.0) are in the \
                        old binary format unless the file name ends in .json or .ubj; load it with such a version and \
                        save it under such a name"
                    .to_owned(),
            );
        }
    };
    let model = BoostedModel::decode(bytes, format).map_err(|error| error.to_string())?;
    if model.n_features() == 0 {
        return Err("the model has no features".to_owned());
    }
    Ok(model)
}

/// The document with a DART model in the form that `hessboost` reads.
fn tree_ubjson(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut document = Ubjson::decode(bytes)?;
    let booster = document.member_mut("learner").and_then(|learner| learner.member_mut("gradient_booster"));
    let Some(booster) = booster else { return Ok(bytes.to_vec()) };
    let (Some(mut trees), Some(weights)) = (booster.take("gbtree"), booster.take("weight_drop")) else {
        return Ok(bytes.to_vec());
    };
    if let Some(Ubjson::Object(members)) = trees.member_mut("model") {
        members.push(("weight_drop".to_owned(), weights));
    }
    *booster = trees;
    Ok(document.encode())
}

/// As [`tree_ubjson`], for JSON.
fn tree_json(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut document: Json = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let Some(booster) = document.pointer_mut("/learner/gradient_booster").and_then(Json::as_object_mut) else {
        return Ok(bytes.to_vec());
    };
    let (Some(mut trees), Some(weights)) = (booster.remove("gbtree"), booster.remove("weight_drop")) else {
        return Ok(bytes.to_vec());
    };
    if let Some(model) = trees.get_mut("model").and_then(Json::as_object_mut) {
        model.insert("weight_drop".to_owned(), weights);
    }
    if let Some(trees) = trees.as_object() {
        *booster = trees.clone();
    }
    serde_json::to_vec(&document).map_err(|error| error.to_string())
}
