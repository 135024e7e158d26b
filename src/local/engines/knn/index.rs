//! Exact search of the nearest neighbours.

/// What makes points near.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metric {
    /// The square of the Euclidean distance.
    L2,
    /// The larger, the nearer.
    InnerProduct,
    /// The cosine of the angle: the larger, the nearer.
    Cosine,
}

impl Metric {
    const ALL: [(Self, &'static str); 3] =
        [(Self::L2, "L2"), (Self::InnerProduct, "INNER_PRODUCT"), (Self::Cosine, "COSINE")];

    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, other)| *other == name).map(|(metric, _)| *metric)
    }

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(metric, _)| *metric == self).map_or("L2", |(_, name)| name)
    }
}

/// Points of equal width.
#[derive(Debug, Clone)]
pub(super) struct Index {
    pub(super) metric: Metric,
    pub(super) columns: usize,
    pub(super) points: Vec<f32>,
    /// The inverse of each point's length, for cosines; empty otherwise.
    inverse: Vec<f32>,
}

/// A neighbour: its place and how far it is, or how similar, by the metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Neighbour {
    pub(super) place: usize,
    pub(super) distance: f32,
}

impl Index {
    pub(super) fn new(metric: Metric, columns: usize, points: Vec<f32>) -> Self {
        let inverse = match metric {
            Metric::Cosine => points.chunks_exact(columns).map(inverse_length).collect(),
            _ => Vec::new(),
        };
        Self { metric, columns, points, inverse }
    }

    pub(super) fn len(&self) -> usize {
        self.points.len() / self.columns
    }

    /// The `count` nearest points, the nearest first; of equally near ones the earlier.
    pub(super) fn nearest(&self, query: &[f32], count: usize) -> Vec<Neighbour> {
        let own = if self.metric == Metric::Cosine { inverse_length(query) } else { 1.0 };
        let far = |place: usize, point: &[f32]| match self.metric {
            Metric::L2 => point.iter().zip(query).map(|(a, b)| (a - b) * (a - b)).sum(),
            Metric::InnerProduct => -product(point, query),
            Metric::Cosine => -product(point, query) * own * self.inverse[place],
        };
        let mut found: Vec<Neighbour> = Vec::with_capacity(count.min(self.len()) + 1);
        for (place, point) in self.points.chunks_exact(self.columns).enumerate() {
            let distance: f32 = far(place, point);
            if found.len() == count && found.last().is_none_or(|last| distance >= last.distance) {
                continue;
            }
            let at = found.partition_point(|other| other.distance <= distance);
            found.insert(at, Neighbour { place, distance });
            found.truncate(count);
        }
        if self.metric != Metric::L2 {
            found.iter_mut().for_each(|one| one.distance = -one.distance);
        }
        found
    }
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn inverse_length(vector: &[f32]) -> f32 {
    let length = product(vector, vector).sqrt();
    if length > 0.0 { 1.0 / length } else { 0.0 }
}
