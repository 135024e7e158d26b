//! What training makes small.

use super::hyperparameters::Predictor;
use crate::local::engines::EngineFailure;
use crate::local::engines::numeric::parameters::Parameters;
use crate::local::engines::numeric::refused;

/// A loss with its settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Loss {
    Squared,
    Absolute,
    InsensitiveSquared(f64),
    InsensitiveAbsolute(f64),
    Quantile(f64),
    Huber(f64),
    Logistic,
    Hinge(f64),
    Softmax,
}

impl Loss {
    /// The loss that a job asks for, if it suits its predictor.
    pub(super) fn new(predictor: Predictor, given: &Parameters) -> Result<Self, EngineFailure> {
        let number = |name: &str, default: f64| given.float(name).unwrap_or(default);
        let name = given.text("loss");
        let chosen = match (predictor, name) {
            (Predictor::Regressor, None | Some("squared_loss")) => Self::Squared,
            (Predictor::Regressor, Some("absolute_loss")) => Self::Absolute,
            (Predictor::Regressor, Some("eps_insensitive_squared_loss")) => {
                Self::InsensitiveSquared(number("loss_insensitivity", 0.01))
            }
            (Predictor::Regressor, Some("eps_insensitive_absolute_loss")) => {
                Self::InsensitiveAbsolute(number("loss_insensitivity", 0.01))
            }
            (Predictor::Regressor, Some("quantile_loss")) => Self::Quantile(number("quantile", 0.5)),
            (Predictor::Regressor, Some("huber_loss")) => Self::Huber(number("huber_delta", 1.0)),
            (Predictor::Binary, None | Some("logistic")) => Self::Logistic,
            (Predictor::Binary, Some("hinge_loss")) => Self::Hinge(number("margin", 1.0)),
            (Predictor::Multiclass, None | Some("softmax_loss")) => Self::Softmax,
            (predictor, Some(name)) => {
                return Err(refused(format!(
                    "The value '{name}' is not valid for the 'loss' hyperparameter when 'predictor_type' is '{}' (caused \
                     by ValidationError)",
                    predictor.name()
                )));
            }
        };
        Ok(chosen)
    }

    /// The name of the objective in the log.
    pub(super) fn objective(self) -> &'static str {
        match self {
            Self::Squared => "mse_objective",
            Self::Absolute => "absolute_loss_objective",
            Self::InsensitiveSquared(_) => "eps_insensitive_squared_loss_objective",
            Self::InsensitiveAbsolute(_) => "eps_insensitive_absolute_loss_objective",
            Self::Quantile(_) => "quantile_loss_objective",
            Self::Huber(_) => "huber_loss_objective",
            Self::Logistic => "binary_classification_cross_entropy_objective",
            Self::Hinge(_) => "hinge_loss_objective",
            Self::Softmax => "multiclass_cross_entropy_objective",
        }
    }

    /// The loss of a row with the margins `z`, one a class; `slope` becomes its derivative in each margin.
    pub(super) fn of(self, z: &[f64], label: f64, slope: &mut [f64]) -> f64 {
        if self == Self::Softmax {
            return softmax_loss(z, label, slope);
        }
        let (loss, derivative) = self.single(z[0], label);
        slope[0] = derivative;
        loss
    }

    fn single(self, z: f64, label: f64) -> (f64, f64) {
        let miss = z - label;
        match self {
            Self::Squared => (miss * miss, 2.0 * miss),
            Self::Absolute => (miss.abs(), sign(miss)),
            Self::InsensitiveSquared(width) => {
                let over = (miss.abs() - width).max(0.0);
                (over * over, 2.0 * over * sign(miss))
            }
            Self::InsensitiveAbsolute(width) => {
                let over = (miss.abs() - width).max(0.0);
                (over, if over > 0.0 { sign(miss) } else { 0.0 })
            }
            Self::Quantile(quantile) if miss < 0.0 => (-quantile * miss, -quantile),
            Self::Quantile(quantile) => ((1.0 - quantile) * miss, if miss > 0.0 { 1.0 - quantile } else { 0.0 }),
            Self::Huber(delta) if miss.abs() <= delta => (miss * miss / 2.0, miss),
            Self::Huber(delta) => (delta * (miss.abs() - delta / 2.0), delta * sign(miss)),
            Self::Logistic => (log_one_plus_exp(z) - label * z, sigmoid(z) - label),
            Self::Hinge(margin) => {
                let side = 2.0 * label - 1.0;
                let over = margin - side * z;
                if over > 0.0 { (over, -side) } else { (0.0, 0.0) }
            }
            Self::Softmax => (0.0, 0.0),
        }
    }

    /// Whether a loss of normalised labels is one of raw labels times a power of their scale, and which.
    pub(super) fn power_of_scale(self) -> i32 {
        match self {
            Self::Squared | Self::InsensitiveSquared(_) | Self::Huber(_) => 2,
            Self::Absolute | Self::InsensitiveAbsolute(_) | Self::Quantile(_) => 1,
            Self::Logistic | Self::Hinge(_) | Self::Softmax => 0,
        }
    }
}

fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

pub(super) fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

fn log_one_plus_exp(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// Turns margins into probabilities.
pub(super) fn softmax(z: &mut [f64]) {
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    z.iter_mut().for_each(|value| *value = (*value - largest).exp());
    let total: f64 = z.iter().sum();
    z.iter_mut().for_each(|value| *value /= total);
}

fn softmax_loss(z: &[f64], label: f64, slope: &mut [f64]) -> f64 {
    slope.copy_from_slice(z);
    softmax(slope);
    let class = label as usize;
    let loss = -slope[class].max(1e-300).ln();
    slope[class] -= 1.0;
    loss
}
