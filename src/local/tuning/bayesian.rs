//! Bayesian search: a Gaussian process over what was tried says where the most improvement is to be expected.

use super::Trial;
use super::gaussian_process::{Prediction, Process, normal};
use super::search::Search;
use super::space::Point;

/// How many trials the process takes in: its cost grows with their cube.
const MOST_TRIALS: usize = 100;
/// How many random points are looked at, and how many around each of the best ones.
const ANYWHERE: usize = 300;
const AROUND: usize = 60;
const BEST: usize = 3;
/// The widths of a step around one of the best points.
const WIDTHS: [f64; 3] = [0.15, 0.04, 0.01];

/// The point where the most is expected; at random while too little is known.
pub(super) fn propose(search: &mut Search, done: &[Trial], running: &[Point]) -> Option<Point> {
    let enough = (search.space.dimensions().len() + 1).clamp(3, 10);
    if done.len() < enough {
        return search.new_random();
    }
    let trials = worth_knowing(done);
    let (mut points, mut values) = standardized(&trials);
    // A constant stands for results that are not there yet, so that points that run together are not the same.
    points.extend(running.iter().take(MOST_TRIALS).cloned());
    values.resize(points.len(), 0.0);
    let best = values.iter().copied().fold(f64::INFINITY, f64::min);

    let candidates = candidates(search, &trials);
    let space = search.space.clone();
    let process = Process::fit(&space, points, &values, search.fitted.as_ref(), &mut search.random);
    let Some(process) = process else { return search.new_random() };
    search.fitted = Some(process.parameters.clone());
    let rate = |point: &Point| expected_improvement(process.predict(point), best);
    let fresh = candidates.into_iter().filter(|point| search.is_new(point));
    let chosen = fresh.map(|point| (rate(&point), point)).max_by(|a, b| a.0.total_cmp(&b.0));
    let Some((rated, mut chosen)) = chosen else { return search.new_random() };
    let mut chosen_rate = rated;
    for width in [0.02, 0.005, 0.001] {
        for _ in 0..10 {
            let near = space.snap(chosen.iter().map(|at| at + width * normal(&mut search.random)).collect());
            let rated = rate(&near);
            if rated > chosen_rate && search.is_new(&near) {
                (chosen, chosen_rate) = (near, rated);
            }
        }
    }
    Some(chosen)
}

/// All trials, or the best and the latest ones.
fn worth_knowing(done: &[Trial]) -> Vec<&Trial> {
    if done.len() <= MOST_TRIALS {
        return done.iter().collect();
    }
    let (older, latest) = done.split_at(done.len() - MOST_TRIALS / 2);
    let mut best: Vec<&Trial> = older.iter().collect();
    best.sort_by(|a, b| a.value.total_cmp(&b.value));
    best.truncate(MOST_TRIALS / 2);
    best.into_iter().chain(latest).collect()
}

/// Points and values with mean zero and deviation one.
fn standardized(trials: &[&Trial]) -> (Vec<Point>, Vec<f64>) {
    let count = trials.len() as f64;
    // Scaled first: squares of large values are infinite.
    let largest = trials.iter().map(|trial| trial.value.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let scaled: Vec<f64> = trials.iter().map(|trial| trial.value / largest).collect();
    let mean = scaled.iter().sum::<f64>() / count;
    let variance = scaled.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    let values = scaled.iter().map(|value| (value - mean) / deviation).collect();
    (trials.iter().map(|trial| trial.point.clone()).collect(), values)
}

/// Points anywhere, and around the best ones.
fn candidates(search: &mut Search, trials: &[&Trial]) -> Vec<Point> {
    let mut out: Vec<Point> = (0..ANYWHERE).map(|_| search.space.random(&mut search.random)).collect();
    let mut best: Vec<&&Trial> = trials.iter().collect();
    best.sort_by(|a, b| a.value.total_cmp(&b.value));
    for trial in best.into_iter().take(BEST) {
        for number in 0..AROUND {
            let width = WIDTHS[number % WIDTHS.len()];
            let mut point = trial.point.clone();
            let dimensions = search.space.dimensions();
            let only = search.random.bool().then(|| search.random.usize(..dimensions.len()));
            for (i, (at, dimension)) in point.iter_mut().zip(dimensions).enumerate() {
                if only.is_some_and(|only| only != i) {
                    continue;
                }
                if dimension.range.is_categorical() {
                    if search.random.u8(..4) == 0 {
                        *at = search.random.f64();
                    }
                } else {
                    *at += width * normal(&mut search.random);
                }
            }
            out.push(search.space.snap(point));
        }
    }
    out
}

/// By how much a point is expected to be below the best value.
fn expected_improvement(found: Prediction, best: f64) -> f64 {
    let gap = best - found.mean;
    let z = gap / found.deviation;
    let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    gap * below(z) + found.deviation * density
}

/// The standard normal distribution's share below `z`, to seven digits (Abramowitz and Stegun 26.2.17).
fn below(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let polynomial =
        t * (0.319_381_530 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt() * polynomial;
    if z > 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::super::{Dimension, Range, Scale, Space, Strategy};
    use super::*;

    fn line(name: &str, min: f64, max: f64) -> Dimension {
        Dimension { name: name.into(), range: Range::Continuous { min, max, scale: Scale::Linear } }
    }

    /// How far the best of `budget` trials is above the lowest value, in the mean over seeds.
    fn regret(space: &Space, strategy: Strategy, budget: usize, parallel: usize, f: &dyn Fn(&[String]) -> f64) -> f64 {
        let seeds = 6;
        let one = |seed| {
            let mut search = Search::new(space.clone(), strategy, seed);
            let mut done: Vec<Trial> = Vec::new();
            let order: Vec<String> = space.dimensions().iter().map(|dimension| dimension.name.clone()).collect();
            while done.len() < budget {
                let mut running = Vec::new();
                for _ in 0..parallel {
                    running.extend(search.propose(&done, &running));
                }
                for point in running {
                    let values = space.values(&point);
                    let values: Vec<String> = order.iter().map(|name| values[name].clone()).collect();
                    done.push(Trial { value: f(&values), point });
                }
            }
            done.iter().map(|trial| trial.value).fold(f64::INFINITY, f64::min)
        };
        (0..seeds).map(one).sum::<f64>() / f64::from(seeds as u32)
    }

    fn number(text: &str) -> f64 {
        text.parse().unwrap()
    }

    /// Branin's function above its minimum.
    fn branin(values: &[String]) -> f64 {
        let (x, y) = (number(&values[0]), number(&values[1]));
        let pi = std::f64::consts::PI;
        let curve = y - 5.1 / (4.0 * pi * pi) * x * x + 5.0 / pi * x - 6.0;
        curve * curve + 10.0 * (1.0 - 1.0 / (8.0 * pi)) * x.cos() + 10.0 - 0.397_887_357_7
    }

    #[test]
    fn it_finds_the_lowest_point_of_branins_function() {
        let space = Space::new(vec![line("x", -5.0, 10.0), line("y", 0.0, 15.0)]);
        let random = regret(&space, Strategy::Random, 30, 1, &branin);
        let own = regret(&space, Strategy::Bayesian, 30, 1, &branin);
        assert!(own < 0.1 && own < random / 10.0, "{own} against {random}");
        let parallel = regret(&space, Strategy::Bayesian, 30, 3, &branin);
        assert!(parallel < random / 3.0, "{parallel} against {random}");
    }

    #[test]
    fn it_searches_mixed_spaces() {
        let log = |name: &str| Dimension {
            name: name.into(),
            range: Range::Continuous { min: 1e-5, max: 1.0, scale: Scale::Logarithmic },
        };
        let depth = Range::Integer { min: 1, max: 12, scale: Scale::Linear };
        let kinds = Range::Categorical(["a", "b", "c", "d"].map(str::to_owned).to_vec());
        let space = Space::new(vec![
            log("rate"),
            Dimension { name: "depth".into(), range: depth },
            Dimension { name: "kind".into(), range: kinds },
        ]);
        let f = |values: &[String]| {
            let rate = number(&values[0]).log10() + 2.0;
            let depth = (number(&values[1]) - 7.0) / 6.0;
            let kind = if values[2] == "c" { 0.0 } else { 0.3 };
            0.2 * rate * rate + depth * depth + kind
        };
        let random = regret(&space, Strategy::Random, 30, 1, &f);
        let own = regret(&space, Strategy::Bayesian, 30, 1, &f);
        assert!(own < random / 3.0, "{own} against {random}");
    }

    #[test]
    fn equal_and_extreme_values_do_no_harm() {
        let space = Space::new(vec![line("x", 0.0, 1.0)]);
        for value in [0.0, 1.0, -1e300, f64::MIN_POSITIVE] {
            let mut search = Search::new(space.clone(), Strategy::Bayesian, 1);
            let done: Vec<Trial> = (0..20).map(|i| Trial { point: vec![f64::from(i) / 20.0], value }).collect();
            assert!(search.propose(&done, &[vec![0.5]]).is_some());
        }
        let mut search = Search::new(space, Strategy::Bayesian, 1);
        let ends = [f64::MAX, f64::MIN, 0.0, 1.0];
        let done: Vec<Trial> = ends.iter().map(|&value| Trial { point: vec![0.3], value }).collect();
        assert!(search.propose(&done, &[]).is_some());
    }

    #[test]
    fn shares_of_the_normal_distribution() {
        for (z, share) in [(0.0, 0.5), (1.0, 0.841_344_746), (-1.96, 0.024_997_895), (5.0, 0.999_999_713)] {
            assert!((below(z) - share).abs() < 1e-6, "{z}");
        }
    }
}
