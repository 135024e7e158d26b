//! The file `xgboost-model`.
//!
//! The container calls `Booster.save_model("xgboost-model")`. Without an extension XGBoost before 2.1 (image 1.7-1)
//! writes its old binary format, which present releases no longer read; since 2.1 (image 3.0-5) it writes UBJSON. This
//! engine writes UBJSON, which XGBoost reads from version 1.6 on.
//!
//! `hessboost` writes a DART model as XGBoost 3.4 does, with the trees' weights inside a `gbtree`. Releases before that
//! would load such a file and pass over the weights, so it is written and read in the older form, which all releases
//! read: `{"name": "dart", "gbtree": {..}, "weight_drop": [..]}`. Linear models it does not write at all: see [`linear`].

use hessboost::model::{BoostedModel, ModelFormat};
use serde_json::Value as Json;

use ubjson::Ubjson;

mod linear;
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
    let model = cut.map_err(|error| error.to_string())?;
    if model.linear().is_some() {
        return linear::save(&model);
    }
    let bytes = model.encode(ModelFormat::XgboostUbjson).map_err(|error| error.to_string())?;
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
    set_base_score(&mut document, plain);
    Ok(document.encode())
}

/// Changes the intercept, which is text: a number, and from XGBoost 3.1 on a list of one for each output, which releases
/// before that do not read. `hessboost` writes and reads lists only.
fn set_base_score(document: &mut Ubjson, change: impl Fn(&str) -> String) {
    let parameters = document.member_mut("learner").and_then(|learner| learner.member_mut("learner_model_param"));
    if let Some(Ubjson::Text(score)) = parameters.and_then(|parameters| parameters.member_mut("base_score")) {
        *score = change(score);
    }
}

/// The intercept as a number, if it is the same for all outputs.
fn plain(score: &str) -> String {
    let mut scores = score.trim_matches(['[', ']']).split(',');
    let first = scores.next().unwrap_or_default();
    if scores.all(|other| other == first) { first.to_owned() } else { score.to_owned() }
}

/// The intercept as a list.
fn listed(score: &str) -> String {
    if score.starts_with('[') { score.to_owned() } else { format!("[{score}]") }
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
    if let Some(model) = linear::load(bytes)? {
        return Ok(Loaded { model, best_trees: None });
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
    set_base_score(&mut document, listed);
    let attributes = document.member_mut("learner").and_then(|learner| learner.member_mut("attributes"));
    let best = match attributes.and_then(|attributes| attributes.member_mut(BEST_TREES)) {
        Some(Ubjson::Text(text)) => text.parse().ok(),
        _ => None,
    };
    let booster = document.member_mut("learner").and_then(|learner| learner.member_mut("gradient_booster"));
    let Some(booster) = booster else { return Ok((document.encode(), best)) };
    let (Some(mut trees), Some(weights)) = (booster.take("gbtree"), booster.take("weight_drop")) else {
        return Ok((document.encode(), best));
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
    list_base_score(&mut document);
    let attributes = document.pointer("/learner/attributes");
    let best = attributes.and_then(|attributes| attributes.get(BEST_TREES)?.as_str()?.parse().ok());
    if let Some(booster) = document.pointer_mut("/learner/gradient_booster").and_then(Json::as_object_mut)
        && let (Some(mut trees), Some(weights)) = (booster.remove("gbtree"), booster.remove("weight_drop"))
    {
        if let Some(model) = trees.get_mut("model").and_then(Json::as_object_mut) {
            model.insert("weight_drop".to_owned(), weights);
        }
        if let Some(trees) = trees.as_object() {
            *booster = trees.clone();
        }
    }
    let bytes = serde_json::to_vec(&document).map_err(|error| error.to_string())?;
    Ok((bytes, best))
}

/// As [`set_base_score`] with [`listed`], for JSON.
fn list_base_score(document: &mut Json) {
    if let Some(Json::String(score)) = document.pointer_mut("/learner/learner_model_param/base_score") {
        *score = listed(score);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intercept_is_one_number_in_the_file_as_all_releases_read_it() {
        let loaded = load(include_bytes!("tests/python-gbtree.ubj")).unwrap().model;
        let mut document = Ubjson::decode(&save(loaded.clone(), None).unwrap()).unwrap();
        let learner = document.member_mut("learner").unwrap();
        let score = learner.member_mut("learner_model_param").unwrap().member_mut("base_score").unwrap();
        assert!(matches!(score, Ubjson::Text(score) if score.parse::<f32>().is_ok()), "{score:?}");
        let read = load(&document.encode()).unwrap().model;
        let scores = |model: &BoostedModel| model.predict_row(&[1.0, 2.0, 3.0], ..).unwrap();
        assert_eq!(scores(&read), scores(&loaded));
        let json = loaded.encode(ModelFormat::XgboostJson).unwrap();
        let mut json: Json = serde_json::from_slice(&json).unwrap();
        let score = json.pointer_mut("/learner/learner_model_param/base_score").unwrap();
        *score = score.as_str().unwrap().trim_matches(['[', ']']).into();
        assert_eq!(scores(&load(json.to_string().as_bytes()).unwrap().model), scores(&loaded));
    }

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
