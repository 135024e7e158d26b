//! Trees of random cuts, and the scores that they give.

use fastrand::Rng;

/// A tree over a sample of points.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    columns: usize,
    /// The sample, one point after the other.
    points: Vec<f32>,
    nodes: Vec<Node>,
    /// Lower and upper corner of each inner node's box: `2 * columns` numbers each, in the order of the nodes.
    boxes: Vec<f32>,
}

#[derive(Debug, Clone, Copy)]
enum Node {
    /// Points that are all the same: the place of one, and how many there are.
    Leaf { point: usize, mass: usize },
    /// Points up to `value` are on the left.
    Cut { dimension: usize, value: f32, left: usize, right: usize, corner: usize },
}

/// How many numbers the boxes of a tree over so many points have at most.
pub(super) fn box_numbers(points: usize, columns: usize) -> Option<usize> {
    points.checked_mul(2)?.checked_mul(columns)
}

impl Tree {
    /// Cuts the box of the points again and again: a dimension is chosen with a chance in proportion to the box's length
    /// in it, and a place in it evenly.
    pub(super) fn grow(points: Vec<f32>, columns: usize, random: &mut Rng) -> Self {
        let count = points.len() / columns;
        let mut tree = Self { columns, points, nodes: vec![Node::Leaf { point: 0, mass: 0 }], boxes: Vec::new() };
        let mut order: Vec<usize> = (0..count).collect();
        // Nodes whose points are still to be parted: place of the node, range in `order`.
        let mut open = vec![(0, 0..count)];
        while let Some((place, range)) = open.pop() {
            let (low, high) = tree.corners(&order[range.clone()]);
            let lengths: Vec<f64> =
                high.iter().zip(&low).map(|(high, low)| f64::from(*high) - f64::from(*low)).collect();
            let total: f64 = lengths.iter().sum();
            if total <= 0.0 {
                tree.nodes[place] = Node::Leaf { point: order[range.start], mass: range.len() };
                continue;
            }
            let (dimension, value) = cut(&lengths, &low, &high, total, random);
            let own = &mut order[range.clone()];
            own.sort_by(|a, b| tree.points[a * columns + dimension].total_cmp(&tree.points[b * columns + dimension]));
            let middle = range.start + own.partition_point(|at| tree.points[at * columns + dimension] <= value);
            let (left, corner) = (tree.nodes.len(), tree.boxes.len());
            tree.boxes.extend(low.into_iter().chain(high));
            tree.nodes[place] = Node::Cut { dimension, value, left, right: left + 1, corner };
            tree.nodes.extend([Node::Leaf { point: 0, mass: 0 }; 2]);
            open.push((left, range.start..middle));
            open.push((left + 1, middle..range.end));
        }
        tree
    }

    pub(super) fn points(&self) -> &[f32] {
        &self.points
    }

    fn corners(&self, which: &[usize]) -> (Vec<f32>, Vec<f32>) {
        let (mut low, mut high) = (vec![f32::INFINITY; self.columns], vec![f32::NEG_INFINITY; self.columns]);
        for at in which {
            let point = &self.points[at * self.columns..(at + 1) * self.columns];
            low.iter_mut().zip(point).for_each(|(low, value)| *low = low.min(*value));
            high.iter_mut().zip(point).for_each(|(high, value)| *high = high.max(*value));
        }
        (low, high)
    }

    /// The score of a point: the expected inverse of the depth at which the point would be separated, were it added, times
    /// the logarithm of the sample's size.
    ///
    /// Going down, the next random cut of the box with the point separates it with a chance in proportion to how far the
    /// box must grow for it; otherwise the tree's own cut is the next.
    pub(super) fn score(&self, point: &[f32]) -> f64 {
        let count = self.points.len() / self.columns;
        let scale = (count as f64 + 1.0).log2();
        let (mut place, mut depth, mut chance, mut score) = (0, 0.0, 1.0, 0.0);
        loop {
            match self.nodes[place] {
                Node::Leaf { point: own, mass } => {
                    let own = &self.points[own * self.columns..(own + 1) * self.columns];
                    let inverse =
                        if own == point { 1.0 / (depth + (mass as f64 + 1.0).log2()) } else { 1.0 / (depth + 1.0) };
                    return (score + chance * inverse) * scale;
                }
                Node::Cut { dimension, value, left, right, corner } => {
                    let (low, high) = self.boxes[corner..corner + 2 * self.columns].split_at(self.columns);
                    let (mut growth, mut length) = (0.0, 0.0);
                    for ((low, high), value) in low.iter().zip(high).zip(point) {
                        growth += f64::from((low - value).max(0.0)) + f64::from((value - high).max(0.0));
                        length += f64::from(high - low);
                    }
                    let separated = growth / (growth + length);
                    score += chance * separated / (depth + 1.0);
                    chance *= 1.0 - separated;
                    depth += 1.0;
                    place = if point[dimension] <= value { left } else { right };
                }
            }
        }
    }
}

fn cut(lengths: &[f64], low: &[f32], high: &[f32], total: f64, random: &mut Rng) -> (usize, f32) {
    let mut left = random.f64() * total;
    for (dimension, length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0.0) {
        if left < *length {
            let value = (f64::from(low[dimension]) + left) as f32;
            // Rounding may reach the upper side, and nothing would be on the right.
            return (dimension, if value < high[dimension] { value } else { low[dimension] });
        }
        left -= length;
    }
    let dimension = lengths.iter().rposition(|length| *length > 0.0).unwrap_or(0);
    (dimension, low[dimension])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_the_expectation_over_insertions() {
        // Growing a tree over the sample and the point must separate the point at the depth that the score expects,
        // averaged over many trees: that random cut trees have this property is what Guha et al. prove.
        let sample: Vec<f32> = vec![0.0, 0.0, 1.0, 0.0, 0.5, 1.0, 2.0, 2.0, 1.5, 0.25];
        let point = [3.0f32, 1.0];
        let (mut scored, mut grown) = (0.0, 0.0);
        let rounds = 4000;
        for seed in 0..rounds {
            scored += Tree::grow(sample.clone(), 2, &mut Rng::with_seed(seed)).score(&point);
            let mut more = sample.clone();
            more.extend(point);
            let tree = Tree::grow(more, 2, &mut Rng::with_seed(seed + 1_000_000));
            let (mut place, mut depth) = (0, 0.0);
            while let Node::Cut { dimension, value, left, right, .. } = tree.nodes[place] {
                place = if point[dimension] <= value { left } else { right };
                depth += 1.0;
            }
            grown += 1.0 / depth * 6f64.log2();
        }
        let (scored, grown) = (scored / rounds as f64, grown / rounds as f64);
        assert!((scored - grown).abs() < 0.02 * grown, "{scored} {grown}");
    }

    #[test]
    fn equal_points_are_one_leaf() {
        let tree = Tree::grow(vec![1.0; 20], 2, &mut Rng::with_seed(1));
        assert_eq!(tree.nodes.len(), 1);
        assert!(tree.score(&[1.0, 1.0]) < tree.score(&[2.0, 1.0]));
    }
}
