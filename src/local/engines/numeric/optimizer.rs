//! Steps of gradient descent.

/// Keeps a divisor from 0.
pub(in crate::local::engines) const TINY: f64 = 1e-8;

/// How a gradient becomes a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::local::engines) enum Method {
    /// `tiny` keeps the divisor from 0.
    Adam {
        beta_1: f64,
        beta_2: f64,
        tiny: f64,
    },
    RmsProp {
        decay: f64,
    },
    Sgd {
        momentum: f64,
    },
}

/// The memory of an optimizer for some weights.
#[derive(Debug, Clone)]
pub(in crate::local::engines) struct Optimizer {
    method: Method,
    first: Vec<f64>,
    second: Vec<f64>,
    steps: i32,
}

impl Optimizer {
    pub(in crate::local::engines) fn new(method: Method, size: usize) -> Self {
        let first = if matches!(method, Method::RmsProp { .. }) { 0 } else { size };
        let second = if matches!(method, Method::Sgd { .. }) { 0 } else { size };
        Self { method, first: vec![0.0; first], second: vec![0.0; second], steps: 0 }
    }

    /// Moves each weight against its gradient; `rate` gives the learning rate of a weight by its place.
    pub(in crate::local::engines) fn step(
        &mut self,
        weights: &mut [f64],
        gradient: &[f64],
        rate: impl Fn(usize) -> f64,
    ) {
        self.steps = self.steps.saturating_add(1);
        match self.method {
            Method::Adam { beta_1, beta_2, tiny } => {
                let (one, two) = (1.0 - beta_1.powi(self.steps), 1.0 - beta_2.powi(self.steps));
                for (at, slope) in gradient.iter().enumerate() {
                    self.first[at] = beta_1 * self.first[at] + (1.0 - beta_1) * slope;
                    self.second[at] = beta_2 * self.second[at] + (1.0 - beta_2) * slope * slope;
                    weights[at] -= rate(at) * (self.first[at] / one) / ((self.second[at] / two).sqrt() + tiny);
                }
            }
            Method::RmsProp { decay } => {
                for (at, slope) in gradient.iter().enumerate() {
                    self.second[at] = decay * self.second[at] + (1.0 - decay) * slope * slope;
                    weights[at] -= rate(at) * slope / (self.second[at].sqrt() + TINY);
                }
            }
            Method::Sgd { momentum } => {
                for (at, slope) in gradient.iter().enumerate() {
                    self.first[at] = momentum * self.first[at] + slope;
                    weights[at] -= rate(at) * self.first[at];
                }
            }
        }
    }
}
