//! The ranges of hyperparameters, as the service checks them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde::Deserialize;

use crate::local::aws_error::AwsError;
use crate::local::tuning::{Dimension, Range, Scale, Space};

/// The most hyperparameters that are tuned together.
const MOST: usize = 30;
/// With `Auto`, a range that spans so many times its beginning is searched on a logarithmic scale.
const WIDE: f64 = 1000.0;

#[derive(Deserialize, Clone, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ParameterRanges {
    integer_parameter_ranges: Vec<NumberRange>,
    continuous_parameter_ranges: Vec<NumberRange>,
    categorical_parameter_ranges: Vec<CategoricalRange>,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "PascalCase")]
struct NumberRange {
    name: String,
    min_value: String,
    max_value: String,
    scaling_type: Option<String>,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "PascalCase")]
struct CategoricalRange {
    name: String,
    values: Vec<String>,
}

/// The space of the ranges; `fixed` are the hyperparameters that do not change.
pub(super) fn space(
    ranges: Option<&ParameterRanges>,
    fixed: &BTreeMap<String, String>,
    grid: bool,
) -> Result<Space, AwsError> {
    let ranges = ranges.cloned().unwrap_or_default();
    let numbers = ranges.integer_parameter_ranges.len() + ranges.continuous_parameter_ranges.len();
    let count = numbers + ranges.categorical_parameter_ranges.len();
    if count == 0 {
        return refuse("At least one hyperparameter range is required. Provide a range in ParameterRanges.");
    }
    if count > MOST {
        return refuse(format!("The total number of hyperparameter ranges [{count}] must be at most {MOST}."));
    }
    if grid && numbers > 0 {
        return refuse(
            "Only CategoricalParameterRanges are supported when the strategy is Grid. Remove the \
             IntegerParameterRanges and ContinuousParameterRanges.",
        );
    }
    let mut dimensions = Vec::with_capacity(count);
    for range in &ranges.integer_parameter_ranges {
        dimensions.push(Dimension { name: range.name.clone(), range: range.integer()? });
    }
    for range in &ranges.continuous_parameter_ranges {
        dimensions.push(Dimension { name: range.name.clone(), range: range.continuous()? });
    }
    for CategoricalRange { name, values } in ranges.categorical_parameter_ranges {
        if values.iter().collect::<BTreeSet<_>>().len() < values.len() {
            return refuse(format!("The values of the categorical hyperparameter [{name}] must be unique."));
        }
        dimensions.push(Dimension { name, range: Range::Categorical(values) });
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = dimensions.iter().find(|dimension| !names.insert(&dimension.name)) {
        return refuse(format!("The hyperparameter [{}] is specified in more than one range.", twice.name));
    }
    if let Some(both) = dimensions.iter().find(|dimension| fixed.contains_key(&dimension.name)) {
        return refuse(format!(
            "The hyperparameter [{}] is specified both in StaticHyperParameters and in a hyperparameter range. Specify \
             it in one of them.",
            both.name
        ));
    }
    if fixed.len() + dimensions.len() > 100 {
        return refuse("A training job has at most 100 hyperparameters, static and tuned ones together.");
    }
    Ok(Space::new(dimensions))
}

impl NumberRange {
    fn integer(&self) -> Result<Range, AwsError> {
        let number = |text: &str| match text.trim().parse::<i64>() {
            Ok(number) => Ok(number),
            Err(_) => refuse(format!(
                "The value [{text}] of the integer hyperparameter range [{}] is not an integer.",
                self.name
            )),
        };
        let (min, max) = (number(&self.min_value)?, number(&self.max_value)?);
        self.check_order(min, max)?;
        let scale = self.scale(min as f64, max as f64)?;
        if scale == Scale::ReverseLogarithmic {
            return refuse(format!(
                "ReverseLogarithmic scaling is not supported for the integer hyperparameter range [{}].",
                self.name
            ));
        }
        Ok(Range::Integer { min, max, scale })
    }

    fn continuous(&self) -> Result<Range, AwsError> {
        let number = |text: &str| match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => refuse(format!(
                "The value [{text}] of the continuous hyperparameter range [{}] is not a number.",
                self.name
            )),
        };
        let (min, max) = (number(&self.min_value)?, number(&self.max_value)?);
        self.check_order(min, max)?;
        Ok(Range::Continuous { min, max, scale: self.scale(min, max)? })
    }

    fn check_order<T: PartialOrd + Display>(&self, min: T, max: T) -> Result<(), AwsError> {
        if min < max {
            return Ok(());
        }
        refuse(format!(
            "The MinValue [{min}] must be less than the MaxValue [{max}] for the hyperparameter range [{}].",
            self.name
        ))
    }

    fn scale(&self, min: f64, max: f64) -> Result<Scale, AwsError> {
        let name = &self.name;
        match self.scaling_type.as_deref() {
            Some("Logarithmic") if min <= 0.0 => refuse(format!(
                "Logarithmic scaling works only for ranges that have only values greater than 0: the MinValue of the \
                 hyperparameter range [{name}] is {min}."
            )),
            Some("Logarithmic") => Ok(Scale::Logarithmic),
            Some("ReverseLogarithmic") if min < 0.0 || max >= 1.0 => refuse(format!(
                "Reverse logarithmic scaling works only for ranges that are entirely within the range 0 <= x < 1.0: \
                 the hyperparameter range [{name}] is {min} to {max}."
            )),
            Some("ReverseLogarithmic") => Ok(Scale::ReverseLogarithmic),
            Some("Linear") => Ok(Scale::Linear),
            _ if min > 0.0 && max / min >= WIDE => Ok(Scale::Logarithmic),
            _ => Ok(Scale::Linear),
        }
    }
}

fn refuse<T>(message: impl Into<String>) -> Result<T, AwsError> {
    Err(AwsError::validation(message))
}
