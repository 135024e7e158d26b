//! The file `xgboost-model`.
//!
//! The container calls `Booster.save_model("xgboost-model")`. Without an extension XGBoost before 2.1 (image 1.7-1)
//! writes its old binary format, which present releases no longer read; since 2.1 (image 3.0-5) it writes UBJSON. This
//! engine writes UBJSON, which XGBoost reads from version 1.6 on.

use hessboost::model::{BoostedModel, ModelFormat};

/// The round that early stopping chose.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Best {
    pub(super) iteration: usize,
    pub(super) score: f64,
}

/// The bytes of a model, cut back to its best round.
pub(super) fn save(model: BoostedModel, best: Option<Best>) -> hessboost::error::Result<Vec<u8>> {
    let model = match &best {
        Some(best) => model.slice(..=best.iteration, 1)?,
        None => model,
    };
    model.encode(ModelFormat::XgboostUbjson)
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
    match ModelFormat::detect(bytes) {
        Some(format @ (ModelFormat::XgboostUbjson | ModelFormat::XgboostJson)) => {
            BoostedModel::decode(bytes, format).map_err(|error| error.to_string())
        }
        _ => Err(
            "it is neither UBJSON nor JSON: models of XGBoost before 2.1 (the container before 3.0) are in the old \
                  binary format unless the file name ends in .json or .ubj; load it with such a version and save it \
                  under such a name"
                .to_owned(),
        ),
    }
}
