//! Every bundled engine hears soon that its job is to stop: what it does after that is lost, and nobody waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::factorization_machines::FactorizationMachinesEngine;
use super::kmeans::KMeansEngine;
use super::knn::KnnEngine;
use super::linear_learner::LinearLearnerEngine;
use super::numeric::testing::{Job, csv, normal_rows};
use super::pca::PcaEngine;
use super::random_cut_forest::RandomCutForestEngine;
use super::xgboost::XGBoostEngine;
use super::{Engine, EngineFailure, TrainingOutput};

const ROWS: usize = 40;

/// An engine, its hyperparameters, whether it reads CSV and labels, and how often it must look at least.
type Case = (Box<dyn Engine>, &'static [(&'static str, &'static str)], bool, bool, usize);

fn cases() -> Vec<Case> {
    vec![
        // An epoch has four batches.
        (
            Box::new(LinearLearnerEngine::new()),
            &[("predictor_type", "regressor"), ("mini_batch_size", "10"), ("epochs", "3"), ("num_models", "2")],
            true,
            true,
            3 * 4,
        ),
        (
            Box::new(FactorizationMachinesEngine::new()),
            &[
                ("predictor_type", "regressor"),
                ("feature_dim", "3"),
                ("num_factors", "2"),
                ("mini_batch_size", "10"),
                ("epochs", "3"),
            ],
            false,
            true,
            3 * 4,
        ),
        (
            Box::new(KMeansEngine::new()),
            &[("k", "3"), ("feature_dim", "3"), ("mini_batch_size", "10"), ("epochs", "3")],
            true,
            false,
            3 * 4,
        ),
        // A look for each row, in both ways to train.
        (
            Box::new(PcaEngine::new()),
            &[("num_components", "2"), ("feature_dim", "3"), ("mini_batch_size", "10")],
            true,
            false,
            ROWS,
        ),
        (
            Box::new(PcaEngine::new()),
            &[
                ("num_components", "2"),
                ("feature_dim", "3"),
                ("mini_batch_size", "10"),
                ("algorithm_mode", "randomized"),
            ],
            true,
            false,
            // Vectors times iterations.
            3 * 6,
        ),
        (
            Box::new(KnnEngine::new()),
            &[
                ("k", "3"),
                ("feature_dim", "3"),
                ("predictor_type", "regressor"),
                ("sample_size", "40"),
                ("dimension_reduction_type", "sign"),
                ("dimension_reduction_target", "2"),
            ],
            true,
            true,
            ROWS,
        ),
        (
            Box::new(RandomCutForestEngine::new()),
            &[("feature_dim", "3"), ("num_trees", "50"), ("num_samples_per_tree", "10")],
            true,
            false,
            2 * 50,
        ),
        (Box::new(XGBoostEngine::new()), &[("num_round", "8")], true, true, 8),
        (Box::new(XGBoostEngine::new()), &[("num_round", "4"), ("_kfold", "2")], true, true, 2 * 4),
    ]
}

/// Trains; from the look `limit` on, the job is told to stop. How often it looked, and what became of it.
fn run(case: &Case, limit: usize) -> (usize, Result<TrainingOutput, EngineFailure>) {
    let (engine, hyperparameters, reads_csv, labelled, _) = case;
    let (rows, labels) = (normal_rows(1, ROWS, 3), (0..ROWS).map(|row| row as f32).collect::<Vec<_>>());
    let labels = if *labelled { &labels[..] } else { &[] };
    let mut job = Job::new(hyperparameters);
    job = match reads_csv {
        // XGBoost takes no parameter of the content type.
        true if engine.runs("xgboost") => job.channel("train", "text/csv", csv(&rows, labels).into()),
        true => job.csv("train", u8::from(*labelled), &csv(&rows, labels)),
        false => job.records("train", &rows, labels),
    };
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = looks.clone();
    job.task.stopping = Arc::new(move || counted.fetch_add(1, Ordering::SeqCst) >= limit);
    let trained = engine.train(&job.task);
    (looks.load(Ordering::SeqCst), trained)
}

#[test]
fn every_engine_looks_again_and_again_and_ends_when_it_is_told() {
    for (number, case) in cases().iter().enumerate() {
        let (looks, trained) = run(case, usize::MAX);
        let least = case.4;
        assert!(trained.is_ok() && looks >= least, "case {number}: {looks} looks of {least}: {:?}", trained.err());
        // Threads that train at the same time, and loops within loops, each look once more.
        const MORE: usize = 24;
        for limit in [0, 1, looks / 4, looks / 2, looks.saturating_sub(MORE)] {
            let (looks, trained) = run(case, limit);
            assert_eq!(trained.err(), Some(EngineFailure::Stopped), "case {number}: told at look {limit}");
            assert!(looks <= limit + MORE, "case {number}: told at look {limit}, it looked until {looks}");
        }
    }
}
