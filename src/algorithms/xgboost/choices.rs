//! Hyperparameters that are one of a few names.

use std::fmt;

use crate::algorithms::names::names;

names! {
    /// What is boosted.
    Booster {
        /// `gbtree`: trees
        GbTree = "gbtree",
        /// `gblinear`: linear functions
        GbLinear = "gblinear",
        /// `dart`: trees with dropout
        Dart = "dart",
    }
}

names! {
    /// How the splits of a tree are found.
    TreeMethod {
        /// `auto`: chosen by the size of the data
        Auto = "auto",
        /// `exact`: every split is tried
        Exact = "exact",
        /// `approx`: quantiles of each round's data
        Approx = "approx",
        /// `hist`: bins made once, the fastest on CPUs
        Hist = "hist",
        /// `gpu_hist`: the same on a GPU, version 1.2-1 and later
        GpuHist = "gpu_hist",
    }
}

names! {
    /// Where a tree grows next.
    GrowPolicy {
        /// `depthwise`: at the nodes closest to the root
        Depthwise = "depthwise",
        /// `lossguide`: at the nodes with the highest change of the loss
        Lossguide = "lossguide",
    }
}

names! {
    /// Whether trees are made or changed.
    ProcessType {
        /// `default`: new trees
        Default = "default",
        /// `update`: existing trees, by the updaters [`Updater::Refresh`] and [`Updater::Prune`]
        Update = "update",
    }
}

names! {
    /// How dropped trees are chosen, for [`Booster::Dart`].
    SampleType {
        /// `uniform`: all trees alike
        Uniform = "uniform",
        /// `weighted`: in proportion to their weight
        Weighted = "weighted",
    }
}

names! {
    /// How dropped and new trees are weighted, for [`Booster::Dart`].
    NormalizeType {
        /// `tree`: a new tree weighs as much as each of the dropped ones
        Tree = "tree",
        /// `forest`: a new tree weighs as much as all dropped ones together
        Forest = "forest",
    }
}

names! {
    /// How the rows for a round are sampled.
    SamplingMethod {
        /// `uniform`: all rows alike
        Uniform = "uniform",
        /// `gradient_based`: in proportion to the regularized absolute value of the gradient; [`TreeMethod::GpuHist`]
        /// only
        GradientBased = "gradient_based",
    }
}

names! {
    /// The distribution of the noise in an accelerated failure time model.
    AftDistribution {
        /// `normal`
        Normal = "normal",
        /// `logistic`
        Logistic = "logistic",
        /// `extreme`
        Extreme = "extreme",
    }
}

names! {
    /// A step that makes or changes trees or, with [`Booster::GbLinear`], linear functions.
    Updater {
        /// `grow_colmaker`: grows trees, columns apart
        GrowColmaker = "grow_colmaker",
        /// `distcol`: grows trees, columns apart, on several instances
        DistCol = "distcol",
        /// `grow_histmaker`: grows trees, rows apart, by histograms
        GrowHistmaker = "grow_histmaker",
        /// `grow_skmaker`: grows trees by approximate sketching
        GrowSkmaker = "grow_skmaker",
        /// `sync`: brings all instances to the same trees
        Sync = "sync",
        /// `refresh`: brings statistics and leaves up to the data of now
        Refresh = "refresh",
        /// `prune`: removes splits whose loss reduction is below `gamma`
        Prune = "prune",
        /// `shotgun`: parallel coordinate descent, linear
        Shotgun = "shotgun",
        /// `coord_descent`: ordinary coordinate descent, linear
        CoordDescent = "coord_descent",
    }
}

/// How the prediction may depend on a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Monotone {
    /// It falls, or stays, as the feature grows: `-1`
    Decreasing,
    /// Freely: `0`
    Unconstrained,
    /// It grows, or stays, as the feature grows: `1`
    Increasing,
}

impl fmt::Display for Monotone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decreasing => "-1",
            Self::Unconstrained => "0",
            Self::Increasing => "1",
        })
    }
}
