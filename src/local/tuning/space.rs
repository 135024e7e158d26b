//! The space that is searched: each hyperparameter is an edge of the unit cube.

use std::collections::BTreeMap;

use fastrand::Rng;

/// A place in the unit cube, one coordinate for each dimension. Integers and categories are at the middle of their cell,
/// so that equal values are equal coordinates.
pub(in crate::local) type Point = Vec<f64>;

/// A hyperparameter that is searched.
#[derive(Debug, Clone)]
pub(in crate::local) struct Dimension {
    pub(in crate::local) name: String,
    pub(in crate::local) range: Range,
}

/// The values of a hyperparameter; `min` is at most `max`.
#[derive(Debug, Clone)]
pub(in crate::local) enum Range {
    Integer { min: i64, max: i64, scale: Scale },
    Continuous { min: f64, max: f64, scale: Scale },
    Categorical(Vec<String>),
}

/// How values are spread over the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::local) enum Scale {
    Linear,
    /// For ranges above zero.
    Logarithmic,
    /// For ranges within `0 <= x < 1`.
    ReverseLogarithmic,
}

/// All hyperparameters that are searched together.
#[derive(Debug, Clone, Default)]
pub(in crate::local) struct Space(Vec<Dimension>);

impl Range {
    /// How many values there are; `None` without end.
    fn count(&self) -> Option<u64> {
        match self {
            Self::Integer { min, max, .. } => Some(max.abs_diff(*min).saturating_add(1)),
            Self::Continuous { .. } => None,
            Self::Categorical(values) => Some(values.len() as u64),
        }
    }

    pub(super) fn is_categorical(&self) -> bool {
        matches!(self, Self::Categorical(_))
    }

    /// The value at a coordinate, as a training job takes it.
    fn value(&self, at: f64) -> String {
        match self {
            Self::Integer { min, max, scale } => {
                let (low, high) = (*min as f64 - 0.5, *max as f64 + 0.5);
                ((scale.unscale(at, low, high).round() as i64).clamp(*min, *max)).to_string()
            }
            Self::Continuous { min, max, scale } => scale.unscale(at, *min, *max).clamp(*min, *max).to_string(),
            Self::Categorical(values) => {
                let index = (at * values.len() as f64) as usize;
                values.get(index.min(values.len().saturating_sub(1))).cloned().unwrap_or_default()
            }
        }
    }

    /// The coordinate of a value; `None` if it is none of the range's.
    fn place(&self, value: &str) -> Option<f64> {
        match self {
            Self::Integer { min, max, scale } => {
                let value: i64 = value.trim().parse().ok()?;
                let (low, high) = (*min as f64 - 0.5, *max as f64 + 0.5);
                (*min..=*max).contains(&value).then(|| scale.scale(value as f64, low, high))
            }
            Self::Continuous { min, max, scale } => {
                let value: f64 = value.trim().parse().ok()?;
                (*min..=*max).contains(&value).then(|| scale.scale(value, *min, *max))
            }
            Self::Categorical(values) => {
                let index = values.iter().position(|own| own == value)?;
                Some((index as f64 + 0.5) / values.len() as f64)
            }
        }
    }
}

impl Scale {
    /// From `low..=high` to `0..=1`.
    fn scale(self, value: f64, low: f64, high: f64) -> f64 {
        let (value, low, high) = match self {
            Self::Linear => (value, low, high),
            Self::Logarithmic => (value.ln(), low.ln(), high.ln()),
            Self::ReverseLogarithmic => (-(1.0 - value).ln(), -(1.0 - low).ln(), -(1.0 - high).ln()),
        };
        if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 }
    }

    /// From `0..=1` to `low..=high`.
    fn unscale(self, at: f64, low: f64, high: f64) -> f64 {
        let between = |low: f64, high: f64| low * (1.0 - at) + high * at;
        match self {
            Self::Linear => between(low, high),
            Self::Logarithmic => between(low.ln(), high.ln()).exp(),
            Self::ReverseLogarithmic => 1.0 - between((1.0 - low).ln(), (1.0 - high).ln()).exp(),
        }
    }
}

impl Space {
    pub(in crate::local) fn new(dimensions: Vec<Dimension>) -> Self {
        Self(dimensions)
    }

    pub(super) fn dimensions(&self) -> &[Dimension] {
        &self.0
    }

    /// How many combinations there are; `None` without end.
    pub(in crate::local) fn count(&self) -> Option<u64> {
        self.0.iter().try_fold(1u64, |product, dimension| Some(product.saturating_mul(dimension.range.count()?)))
    }

    /// The values at a point, by name.
    pub(in crate::local) fn values(&self, point: &Point) -> BTreeMap<String, String> {
        self.0.iter().zip(point).map(|(dimension, &at)| (dimension.name.clone(), dimension.range.value(at))).collect()
    }

    /// The point of values; `None` if one of them is missing or none of the space's.
    pub(in crate::local) fn point(&self, values: &BTreeMap<String, String>) -> Option<Point> {
        self.0.iter().map(|dimension| dimension.range.place(values.get(&dimension.name)?)).collect()
    }

    /// The point that stands for all those with the same values.
    pub(super) fn snap(&self, point: Point) -> Point {
        let snap = |(dimension, at): (&Dimension, f64)| match dimension.range {
            Range::Continuous { .. } => at.clamp(0.0, 1.0),
            _ => dimension.range.place(&dimension.range.value(at.clamp(0.0, 1.0))).unwrap_or(at),
        };
        self.0.iter().zip(point).map(snap).collect()
    }

    pub(super) fn random(&self, random: &mut Rng) -> Point {
        self.snap(self.0.iter().map(|_| random.f64()).collect())
    }

    /// The combination of a number below [`count`](Self::count); the last dimension changes fastest.
    pub(super) fn combination(&self, mut number: u64) -> Option<Point> {
        let mut point = Vec::with_capacity(self.0.len());
        for dimension in self.0.iter().rev() {
            let count = dimension.range.count()?;
            let index = number % count;
            number /= count;
            point.push(match &dimension.range {
                Range::Integer { min, .. } => {
                    let value = i128::from(*min) + i128::from(index);
                    dimension.range.place(&value.to_string())?
                }
                _ => (index as f64 + 0.5) / count as f64,
            });
        }
        point.reverse();
        (number == 0).then_some(point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dimension(name: &str, range: Range) -> Dimension {
        Dimension { name: name.into(), range }
    }

    #[test]
    fn ranges_are_scaled() {
        let at = |range: &Range, at: f64| range.value(at);
        let linear = Range::Continuous { min: -1.0, max: 3.0, scale: Scale::Linear };
        assert_eq!((at(&linear, 0.0), at(&linear, 0.5), at(&linear, 1.0)), ("-1".into(), "1".into(), "3".into()));
        let log = Range::Continuous { min: 1e-4, max: 1.0, scale: Scale::Logarithmic };
        assert!((at(&log, 0.5).parse::<f64>().unwrap() - 0.01).abs() < 1e-12);
        let reverse = Range::Continuous { min: 0.0, max: 0.9999, scale: Scale::ReverseLogarithmic };
        assert!((at(&reverse, 0.5).parse::<f64>().unwrap() - 0.99).abs() < 1e-9);
        let integers = Range::Integer { min: 1, max: 3, scale: Scale::Linear };
        let values: Vec<String> = [0.0, 0.3, 0.34, 0.66, 0.67, 1.0].iter().map(|&x| at(&integers, x)).collect();
        assert_eq!(values, ["1", "1", "2", "2", "3", "3"]);
        let categories = Range::Categorical(vec!["a".into(), "b".into()]);
        assert_eq!((at(&categories, 0.49), at(&categories, 1.0)), ("a".into(), "b".into()));
    }

    #[test]
    fn combinations_are_counted_and_listed() {
        let space = Space::new(vec![
            dimension("x", Range::Categorical(vec!["a".into(), "b".into()])),
            dimension("y", Range::Integer { min: -1, max: 1, scale: Scale::Linear }),
        ]);
        assert_eq!(space.count(), Some(6));
        let text =
            |n| space.combination(n).map(|point| space.values(&point).into_values().collect::<Vec<_>>().join(" "));
        let all: Vec<String> = (0..6).map(|n| text(n).unwrap()).collect();
        assert_eq!(all, ["a -1", "a 0", "a 1", "b -1", "b 0", "b 1"]);
        assert_eq!(text(6), None);
        let endless = dimension("z", Range::Continuous { min: 0.0, max: 1.0, scale: Scale::Linear });
        assert_eq!(Space::new(vec![endless]).count(), None);
    }

    #[test]
    fn wide_ranges_do_no_harm() {
        let space = Space::new(vec![
            dimension("i", Range::Integer { min: i64::MIN, max: i64::MAX, scale: Scale::Linear }),
            dimension("c", Range::Continuous { min: f64::MIN, max: f64::MAX, scale: Scale::Linear }),
        ]);
        for at in [0.0, 0.3, 1.0] {
            let values = space.values(&vec![at, at]);
            assert!(values["c"].parse::<f64>().unwrap().is_finite(), "{values:?}");
            assert!(values["i"].parse::<i64>().is_ok());
        }
    }

    fn any_range() -> impl Strategy<Value = Range> {
        let scale = prop_oneof![Just(Scale::Linear), Just(Scale::Logarithmic)];
        prop_oneof![
            (1i64..1000, 1i64..1000, scale.clone()).prop_map(|(min, more, scale)| Range::Integer {
                min,
                max: min + more,
                scale
            }),
            (1e-6..10.0, 1e-3..100.0, scale).prop_map(|(min, more, scale)| Range::Continuous {
                min,
                max: min + more,
                scale
            }),
            (0.0..0.9, 0.001..0.09).prop_map(|(min, more)| Range::Continuous {
                min,
                max: min + more,
                scale: Scale::ReverseLogarithmic
            }),
            (1usize..30).prop_map(|n| Range::Categorical((0..n).map(|i| i.to_string()).collect())),
        ]
    }

    proptest! {
        #[test]
        fn values_are_in_range_and_found_again(range in any_range(), at in 0.0f64..=1.0) {
            let space = Space::new(vec![dimension("x", range)]);
            let point = space.snap(vec![at]);
            let values = space.values(&point);
            let again = space.point(&values).expect("a value of the space");
            prop_assert!((again[0] - point[0]).abs() < 1e-9, "{} {}", again[0], point[0]);
            let (value, same) = (values["x"].clone(), space.values(&space.snap(again))["x"].clone());
            let close = value.parse::<f64>().unwrap() - same.parse::<f64>().unwrap();
            prop_assert!(close.abs() < 1e-9, "{} {}", value, same);
        }
    }
}
