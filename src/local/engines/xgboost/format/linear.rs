//! Linear models (`gblinear`), which `hessboost` trains but neither writes nor reads in XGBoost's form.
//!
//! Everything but the booster is as in a model of trees, so that a model without trees stands in for it: XGBoost's form of
//! that gets XGBoost's linear booster, and the other way round.

use hessboost::model::{BoostedModel, ModelFormat};
use serde_json::{Value as Json, json};

use super::ubjson::Ubjson;

const NAME: &str = "gblinear";

/// The document of a linear model.
pub(super) fn save(model: &BoostedModel) -> Result<Vec<u8>, String> {
    let linear = model.linear().ok_or("the model is not linear")?;
    let plain = with_linear(model, Json::Null)?;
    let bytes = plain.encode(ModelFormat::XgboostUbjson).map_err(|error| error.to_string())?;
    let mut document = Ubjson::decode(&bytes)?;
    // A line of weights for each feature, and one for the biases.
    let weights: Vec<f32> = linear.weights().iter().chain(linear.bias()).copied().collect();
    let bytes = weights.iter().flat_map(|weight| weight.to_be_bytes()).collect();
    let weights = Ubjson::Typed(b'd', weights.len(), bytes);
    super::set_base_score(&mut document, super::plain);
    let booster = document.member_mut("learner").and_then(|learner| learner.member_mut("gradient_booster"));
    *booster.ok_or("the model has no gradient_booster")? = Ubjson::Object(vec![
        ("model".to_owned(), Ubjson::Object(vec![("weights".to_owned(), weights)])),
        ("name".to_owned(), Ubjson::Text(NAME.to_owned())),
    ]);
    Ok(document.encode())
}

/// Reads a linear model; `None` if it is another one, or none.
///
/// # Errors
/// What is wrong with it.
pub(super) fn load(bytes: &[u8]) -> Result<Option<BoostedModel>, String> {
    let found = match ModelFormat::detect(bytes) {
        Some(ModelFormat::XgboostUbjson) => of_ubjson(bytes)?.map(|found| (found, ModelFormat::XgboostUbjson)),
        Some(ModelFormat::XgboostJson) => of_json(bytes)?.map(|found| (found, ModelFormat::XgboostJson)),
        _ => None,
    };
    let Some(((weights, without), format)) = found else { return Ok(None) };
    let plain = BoostedModel::decode(without, format).map_err(|error| error.to_string())?;
    let outputs = weights.len().checked_div(plain.n_features() + 1).unwrap_or(0);
    if outputs == 0 || outputs * (plain.n_features() + 1) != weights.len() {
        let features = plain.n_features();
        return Err(format!("the linear model has {} weights, which {features} features cannot have", weights.len()));
    }
    if weights.iter().any(|weight| !weight.is_finite()) {
        return Err("a weight of the linear model is not finite".to_owned());
    }
    let (weights, bias) = weights.split_at(plain.n_features() * outputs);
    with_linear(&plain, json!({"weights": weights, "bias": bias})).map(Some)
}

/// The model with another linear part, which is written into its document in the form of `hessboost`.
fn with_linear(model: &BoostedModel, linear: Json) -> Result<BoostedModel, String> {
    let failed = |error: hessboost::error::HessboostError| error.to_string();
    let bytes = model.encode(ModelFormat::Json).map_err(failed)?;
    let mut document: Json = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    // The document may have an envelope around the model.
    let model = match document.get("linear") {
        Some(_) => &mut document,
        None => document.get_mut("model").ok_or("the model's document has no model")?,
    };
    model["linear"] = linear;
    let bytes = serde_json::to_vec(&document).map_err(|error| error.to_string())?;
    BoostedModel::decode(bytes, ModelFormat::Json).map_err(failed)
}

/// A document's weights, if it is a linear model's, and the document with a model without trees.
type Found = Option<(Vec<f32>, Vec<u8>)>;

fn of_ubjson(bytes: &[u8]) -> Result<Found, String> {
    let mut document = Ubjson::decode(bytes)?;
    super::set_base_score(&mut document, super::listed);
    let booster = document.member_mut("learner").and_then(|learner| learner.member_mut("gradient_booster"));
    let Some(booster) = booster else { return Ok(None) };
    if booster.member_mut("name") != Some(&mut Ubjson::Text(NAME.to_owned())) {
        return Ok(None);
    }
    let weights = match booster.member_mut("model").and_then(|model| model.take("weights")) {
        Some(Ubjson::Typed(b'd', _, bytes)) => {
            bytes.chunks_exact(4).map(|four| f32::from_be_bytes([four[0], four[1], four[2], four[3]])).collect()
        }
        _ => return Err("the linear model has no weights".to_owned()),
    };
    let text = |text: &str| Ubjson::Text(text.to_owned());
    let object = |members: Vec<(&str, Ubjson)>| {
        Ubjson::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    };
    let first = Ubjson::Typed(b'l', 1, vec![0; 4]);
    *booster = object(vec![
        (
            "model",
            object(vec![
                ("gbtree_model_param", object(vec![("num_parallel_tree", text("1")), ("num_trees", text("0"))])),
                ("iteration_indptr", first),
                ("tree_info", Ubjson::Array(Vec::new())),
                ("trees", Ubjson::Array(Vec::new())),
            ]),
        ),
        ("name", text("gbtree")),
    ]);
    Ok(Some((weights, document.encode())))
}

fn of_json(bytes: &[u8]) -> Result<Found, String> {
    let mut document: Json = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    super::list_base_score(&mut document);
    let Some(booster) = document.pointer_mut("/learner/gradient_booster") else { return Ok(None) };
    if booster["name"] != NAME {
        return Ok(None);
    }
    let weights = booster["model"]["weights"].as_array();
    let weights = weights.and_then(|weights| {
        weights.iter().map(|weight| weight.as_f64().map(|weight| weight as f32)).collect::<Option<Vec<f32>>>()
    });
    let weights = weights.ok_or("the linear model has no weights")?;
    *booster = json!({
        "model": {
            "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "0"},
            "iteration_indptr": [0],
            "tree_info": [],
            "trees": [],
        },
        "name": "gbtree",
    });
    let bytes = serde_json::to_vec(&document).map_err(|error| error.to_string())?;
    Ok(Some((weights, bytes)))
}
