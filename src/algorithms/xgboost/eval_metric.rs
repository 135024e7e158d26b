use std::fmt;

use crate::algorithms::wire;

/// How well a model does on the `train` and `validation` channels, computed after each round.
///
/// The metrics from [`Accuracy`](Self::Accuracy) on are the container's own, not XGBoost's.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EvalMetric {
    /// `rmse`: root mean squared error
    Rmse,
    /// `rmsle`: root mean squared error of `log(1 + y)`
    Rmsle,
    /// `mae`: mean absolute error
    Mae,
    /// `mape`: mean absolute percentage error
    Mape,
    /// `mphe`: mean pseudo-Huber error
    Mphe,
    /// `logloss`: negative log-likelihood
    Logloss,
    /// `error`: rate of wrong binary decisions at 0.5
    Error,
    /// `error@t`: rate of wrong binary decisions at the threshold t
    ErrorAt(f64),
    /// `merror`: rate of wrong classes
    Merror,
    /// `mlogloss`: negative log-likelihood over several classes
    Mlogloss,
    /// `auc`: area under the ROC curve; binary and ranking objectives only
    Auc,
    /// `aucpr`: area under the precision-recall curve
    Aucpr,
    /// `ndcg`: normalized discounted cumulative gain
    Ndcg,
    /// `ndcg@n`: the same over the top n of each list
    NdcgAt(u32),
    /// `map`: mean average precision
    Map,
    /// `map@n`: the same over the top n of each list
    MapAt(u32),
    /// `poisson-nloglik`: negative log-likelihood of a Poisson distribution
    PoissonNloglik,
    /// `gamma-nloglik`: negative log-likelihood of a gamma distribution
    GammaNloglik,
    /// `gamma-deviance`: residual deviance of gamma regression
    GammaDeviance,
    /// `tweedie-nloglik`: negative log-likelihood of a Tweedie distribution
    TweedieNloglik,
    /// `cox-nloglik`: negative partial log-likelihood of Cox regression
    CoxNloglik,
    /// `aft-nloglik`: negative log-likelihood of an accelerated failure time model; [`Objective::SurvivalAft`] only
    ///
    /// [`Objective::SurvivalAft`]: super::Objective::SurvivalAft
    AftNloglik,
    /// `interval-regression-accuracy`: rate of predictions within the interval of the label
    IntervalRegressionAccuracy,
    /// `accuracy`: rate of right classes
    Accuracy,
    /// `balanced_accuracy`: mean recall of the classes
    BalancedAccuracy,
    /// `f1`: F1 score, mean over the classes
    F1,
    /// `f1_binary`: F1 score of label 1
    F1Binary,
    /// `f1_macro`: F1 score, unweighted mean over the classes
    F1Macro,
    /// `mse`: mean squared error
    Mse,
    /// `precision`: precision of label 1
    Precision,
    /// `precision_macro`: precision, unweighted mean over the classes
    PrecisionMacro,
    /// `precision_micro`: precision over all classes at once
    PrecisionMicro,
    /// `r2`: coefficient of determination
    R2,
    /// `recall`: recall of label 1
    Recall,
    /// `recall_macro`: recall, unweighted mean over the classes
    RecallMacro,
    /// `recall_micro`: recall over all classes at once
    RecallMicro,
    /// Another name, sent as it is.
    Other(String),
}

impl fmt::Display for EvalMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rmse => "rmse",
            Self::Rmsle => "rmsle",
            Self::Mae => "mae",
            Self::Mape => "mape",
            Self::Mphe => "mphe",
            Self::Logloss => "logloss",
            Self::Error => "error",
            Self::ErrorAt(threshold) => return write!(f, "error@{}", wire::number(*threshold)),
            Self::Merror => "merror",
            Self::Mlogloss => "mlogloss",
            Self::Auc => "auc",
            Self::Aucpr => "aucpr",
            Self::Ndcg => "ndcg",
            Self::NdcgAt(top) => return write!(f, "ndcg@{top}"),
            Self::Map => "map",
            Self::MapAt(top) => return write!(f, "map@{top}"),
            Self::PoissonNloglik => "poisson-nloglik",
            Self::GammaNloglik => "gamma-nloglik",
            Self::GammaDeviance => "gamma-deviance",
            Self::TweedieNloglik => "tweedie-nloglik",
            Self::CoxNloglik => "cox-nloglik",
            Self::AftNloglik => "aft-nloglik",
            Self::IntervalRegressionAccuracy => "interval-regression-accuracy",
            Self::Accuracy => "accuracy",
            Self::BalancedAccuracy => "balanced_accuracy",
            Self::F1 => "f1",
            Self::F1Binary => "f1_binary",
            Self::F1Macro => "f1_macro",
            Self::Mse => "mse",
            Self::Precision => "precision",
            Self::PrecisionMacro => "precision_macro",
            Self::PrecisionMicro => "precision_micro",
            Self::R2 => "r2",
            Self::Recall => "recall",
            Self::RecallMacro => "recall_macro",
            Self::RecallMicro => "recall_micro",
            Self::Other(name) => name,
        })
    }
}
