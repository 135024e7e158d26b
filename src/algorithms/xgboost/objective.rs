use std::fmt;

/// What is learned: the task and its loss. The classification objectives with several classes carry their number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Objective {
    /// `reg:squarederror`: squared error; what the algorithm takes by default
    RegSquaredError,
    /// `reg:squaredlogerror`: squared error of `log(1 + y)`; labels above -1
    RegSquaredLogError,
    /// `reg:logistic`: logistic regression; labels from 0 to 1
    RegLogistic,
    /// `reg:pseudohubererror`: a smooth stand-in for the absolute error
    RegPseudoHuberError,
    /// `reg:absoluteerror`: absolute error; version 1.7-1 and later
    RegAbsoluteError,
    /// `reg:gamma`: gamma regression with a log link; labels above 0
    RegGamma,
    /// `reg:tweedie`: Tweedie regression with a log link; labels from 0
    RegTweedie,
    /// `count:poisson`: the mean of a Poisson distribution; labels from 0
    CountPoisson,
    /// `binary:logistic`: the probability of label 1
    BinaryLogistic,
    /// `binary:logitraw`: the same before the logistic function
    BinaryLogitRaw,
    /// `binary:hinge`: label 0 or 1 by hinge loss
    BinaryHinge,
    /// `multi:softmax`: the most probable class
    MultiSoftmax {
        /// How many classes there are, at least 2; labels are 0 to `num_class - 1`.
        num_class: u32,
    },
    /// `multi:softprob`: the probability of each class
    MultiSoftprob {
        /// How many classes there are, at least 2; labels are 0 to `num_class - 1`.
        num_class: u32,
    },
    /// `rank:pairwise`: ranking by pairwise loss
    RankPairwise,
    /// `rank:ndcg`: ranking that raises the normalized discounted cumulative gain
    RankNdcg,
    /// `rank:map`: ranking that raises the mean average precision
    RankMap,
    /// `survival:cox`: the hazard ratio of right-censored survival times (censored ones are negative)
    SurvivalCox,
    /// `survival:aft`: accelerated failure time of censored survival times
    SurvivalAft,
    /// Another name, sent as it is.
    Other(String),
}

impl Objective {
    pub(super) fn num_class(&self) -> Option<u32> {
        match self {
            Self::MultiSoftmax { num_class } | Self::MultiSoftprob { num_class } => Some(*num_class),
            _ => None,
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RegSquaredError => "reg:squarederror",
            Self::RegSquaredLogError => "reg:squaredlogerror",
            Self::RegLogistic => "reg:logistic",
            Self::RegPseudoHuberError => "reg:pseudohubererror",
            Self::RegAbsoluteError => "reg:absoluteerror",
            Self::RegGamma => "reg:gamma",
            Self::RegTweedie => "reg:tweedie",
            Self::CountPoisson => "count:poisson",
            Self::BinaryLogistic => "binary:logistic",
            Self::BinaryLogitRaw => "binary:logitraw",
            Self::BinaryHinge => "binary:hinge",
            Self::MultiSoftmax { .. } => "multi:softmax",
            Self::MultiSoftprob { .. } => "multi:softprob",
            Self::RankPairwise => "rank:pairwise",
            Self::RankNdcg => "rank:ndcg",
            Self::RankMap => "rank:map",
            Self::SurvivalCox => "survival:cox",
            Self::SurvivalAft => "survival:aft",
            Self::Other(name) => name,
        })
    }
}
