//! Selected content: what the environment variable `SAGEMAKER_INFERENCE_OUTPUT` asks for instead of plain predictions.

use super::{Predictions, python};

const PREDICTED_LABEL: &str = "predicted_label";
const LABELS: &str = "labels";
const PROBABILITY: &str = "probability";
const PROBABILITIES: &str = "probabilities";
const RAW_SCORE: &str = "raw_score";
const RAW_SCORES: &str = "raw_scores";
const PREDICTED_SCORE: &str = "predicted_score";

/// The keys in the order in which the container fills an answer.
const KEYS: [&str; 7] = [PREDICTED_LABEL, LABELS, PROBABILITY, PROBABILITIES, RAW_SCORE, RAW_SCORES, PREDICTED_SCORE];

/// What was asked for, of which kind of model.
#[derive(Debug)]
pub(super) struct Selection {
    keys: Vec<String>,
    objective: String,
    classes: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Content {
    Integer(i64),
    Float(f64),
    Integers(Vec<i64>),
    Floats(Vec<f64>),
}

impl Selection {
    /// `keys` is a list with commas, such as `predicted_label,probability`.
    pub(super) fn new(keys: &str, objective: &str, classes: usize) -> Self {
        let keys = keys.replace(' ', "").to_lowercase();
        Self { keys: keys.split(',').map(str::to_owned).collect(), objective: objective.to_owned(), classes }
    }

    pub(super) fn encode(&self, predictions: &Predictions, accept: &str, batch: bool) -> Result<String, String> {
        let Some(valid) = self.valid_keys() else {
            return Err(format!("Objective `{}` unsupported for selectable inference predictions.", self.objective));
        };
        match accept {
            "application/json" => {
                let rows: Vec<String> = predictions.rows().map(|row| self.json(row, valid)).collect();
                Ok(format!("{{\"predictions\": [{}]}}", rows.join(", ")))
            }
            "application/jsonlines" => Ok(predictions.rows().map(|row| self.json(row, valid) + "\n").collect()),
            "text/csv" => {
                let rows: Vec<String> = predictions.rows().map(|row| self.csv(row, valid)).collect();
                Ok(rows.join("\n") + if batch { "\n" } else { "" })
            }
            _ => Err(format!(
                "the local XGBoost engine does not encode selected predictions into accept type '{accept}'; the container \
                 on AWS does"
            )),
        }
    }

    fn valid_keys(&self) -> Option<&'static [&'static str]> {
        Some(match self.objective.as_str() {
            "reg:squarederror" | "reg:logistic" | "reg:gamma" | "reg:absoluteerror" | "reg:tweedie" => {
                &[PREDICTED_SCORE]
            }
            "binary:logistic" | "multi:softprob" => {
                &[PREDICTED_LABEL, LABELS, PROBABILITY, PROBABILITIES, RAW_SCORE, RAW_SCORES]
            }
            "binary:logitraw" | "binary:hinge" | "multi:softmax" => &[PREDICTED_LABEL, LABELS, RAW_SCORE, RAW_SCORES],
            _ => return None,
        })
    }

    /// What a key stands for; a key that the objective does not have is NaN.
    fn content(&self, key: &str, row: &[f32], valid: &[&str]) -> Content {
        if !valid.contains(&key) {
            return Content::Float(f64::NAN);
        }
        let first = f64::from(row.first().copied().unwrap_or(f32::NAN));
        let highest = || row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let several = self.objective == "multi:softprob";
        match key {
            PREDICTED_LABEL => match self.objective.as_str() {
                "binary:logistic" => Content::Integer(i64::from(first > 0.5)),
                "binary:logitraw" => Content::Integer(i64::from(first > 0.0)),
                "multi:softprob" => {
                    let best = row.iter().position(|value| *value == highest()).unwrap_or(0);
                    Content::Integer(i64::try_from(best).unwrap_or(i64::MAX))
                }
                _ => Content::Float(first),
            },
            LABELS if self.objective.starts_with("binary:") => Content::Integers(vec![0, 1]),
            LABELS => Content::Integers((0..i64::try_from(self.classes).unwrap_or(0)).collect()),
            PROBABILITY | RAW_SCORE if several => Content::Float(f64::from(highest())),
            PROBABILITIES | RAW_SCORES if several => Content::Floats(row.iter().copied().map(f64::from).collect()),
            PROBABILITIES | RAW_SCORES => Content::Floats(vec![1.0 - first, first]),
            _ => Content::Float(first),
        }
    }

    fn json(&self, row: &[f32], valid: &[&str]) -> String {
        let known =
            KEYS.iter().copied().filter(|key| valid.contains(key) && self.keys.iter().any(|asked| asked == key));
        let unknown = self.keys.iter().map(String::as_str).filter(|key| !valid.contains(key));
        let fields: Vec<String> = known
            .chain(unknown)
            .map(|key| {
                let mut out = serde_json::Value::from(key).to_string() + ": ";
                push(&mut out, &self.content(key, row, valid), python::push_json_float);
                out
            })
            .collect();
        format!("{{{}}}", fields.join(", "))
    }

    fn csv(&self, row: &[f32], valid: &[&str]) -> String {
        let fields: Vec<String> = self
            .keys
            .iter()
            .map(|key| {
                let content = self.content(key, row, valid);
                let mut out = String::new();
                push(&mut out, &content, python::push_float);
                match content {
                    Content::Integers(_) | Content::Floats(_) => format!("\"{out}\""),
                    Content::Integer(_) | Content::Float(_) => out,
                }
            })
            .collect();
        fields.join(",")
    }
}

fn push(out: &mut String, content: &Content, push_float: impl Fn(&mut String, f64)) {
    match content {
        Content::Integer(value) => out.push_str(&value.to_string()),
        Content::Float(value) => push_float(out, *value),
        Content::Integers(values) => out.push_str(&format!("{values:?}")),
        Content::Floats(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                push_float(out, *value);
            }
            out.push(']');
        }
    }
}
