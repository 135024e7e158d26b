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

/// A model with what its file says about predicting.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) model: BoostedModel,
    /// How many trees of each class, parallel ones counted, Python's XGBoost before 2.0 found best.
    pub(super) best_trees: Option<usize>,
}

/// Reads a model that this engine or Python's XGBoost wrote as UBJSON or JSON.
///
/// # Errors
/// A sentence that says what the file is, as far as it can be seen, and how to get one that can be read.
pub(super) fn load(bytes: &[u8]) -> Result<Loaded, String> {
    if bytes.first() == Some(&0x80) {
        return Err("it is a pickled Python object, which only Python can load: save the model with \
                    Booster.save_model"
            .to_owned());
    }
    let ((bytes, best_trees), format) = match ModelFormat::detect(bytes) {
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
    Ok(Loaded { model, best_trees })
}

/// The attribute in which Python's XGBoost 1.x keeps what early stopping chose.
const BEST_TREES: &str = "best_ntree_limit";

/// The document with a DART model in the form that `hessboost` reads, and its [`BEST_TREES`].
fn tree_ubjson(bytes: &[u8]) -> Result<(Vec<u8>, Option<usize>), String> {
    let mut document = Ubjson::decode(bytes)?;
    let attributes = document.member_mut("learner").and_then(|learner| learner.member_mut("attributes"));
    let best = match attributes.and_then(|attributes| attributes.member_mut(BEST_TREES)) {
        Some(Ubjson::Text(text)) => text.parse().ok(),
        _ => None,
    };
    let booster = document.member_mut("learner").and_then(|learner| learner.member_mut("gradient_booster"));
    let Some(booster) = booster else { return Ok((bytes.to_vec(), best)) };
    let (Some(mut trees), Some(weights)) = (booster.take("gbtree"), booster.take("weight_drop")) else {
        return Ok((bytes.to_vec(), best));
    };
    if let Some(Ubjson::Object(members)) = trees.member_mut("model") {
        members.push(("weight_drop".to_owned(), weights));
    }
    *booster = trees;
    Ok((document.encode(), best))
}

/// As [`tree_ubjson`], for JSON.
fn tree_json(bytes: &[u8]) -> Result<(Vec<u8>, Option<usize>), String> {
    let mut document: Json = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let attributes = document.pointer("/learner/attributes");
    let best = attributes.and_then(|attributes| attributes.get(BEST_TREES)?.as_str()?.parse().ok());
    let Some(booster) = document.pointer_mut("/learner/gradient_booster").and_then(Json::as_object_mut) else {
        return Ok((bytes.to_vec(), best));
    };
    let (Some(mut trees), Some(weights)) = (booster.remove("gbtree"), booster.remove("weight_drop")) else {
        return Ok((bytes.to_vec(), best));
    };
    if let Some(model) = trees.get_mut("model").and_then(Json::as_object_mut) {
        model.insert("weight_drop".to_owned(), weights);
    }
    if let Some(trees) = trees.as_object() {
        *booster = trees.clone();
    }
    let bytes = serde_json::to_vec(&document).map_err(|error| error.to_string())?;
    Ok((bytes, best))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_trees_of_python_are_read_from_both_forms() {
        let python = include_bytes!("tests/python-gbtree.ubj");
        assert_eq!(load(python).unwrap().best_trees, None);
        for (text, expected) in [("7", Some(7)), ("-1", None), ("x", None)] {
            let mut document = Ubjson::decode(python).unwrap();
            let attributes = document.member_mut("learner").unwrap().member_mut("attributes").unwrap();
            *attributes = Ubjson::Object(vec![(BEST_TREES.to_owned(), Ubjson::Text(text.to_owned()))]);
            assert_eq!(load(&document.encode()).unwrap().best_trees, expected);

            let json = load(python).unwrap().model.encode(ModelFormat::XgboostJson).unwrap();
            let mut document: Json = serde_json::from_slice(&json).unwrap();
            document["learner"]["attributes"][BEST_TREES] = text.into();
            assert_eq!(load(document.to_string().as_bytes()).unwrap().best_trees, expected);
        }
    }
}
