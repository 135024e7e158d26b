//! What answers behind an endpoint, and which part of it answers a request.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::asynchronous::AsyncQueue;
use super::capture::Capture;
use super::hash;
use super::serverless::Serverless;
use crate::local::jobs::Serving;

/// How many sessions are remembered; the oldest goes first.
const MAX_SESSIONS: usize = 10_000;

/// What answers behind an endpoint or an inference component.
pub(in crate::local) struct Deployment {
    pub(in crate::local) variants: Vec<Variant>,
    /// They get copies of requests; nobody sees what they answer.
    pub(in crate::local) shadows: Vec<Variant>,
    pub(in crate::local) capture: Option<Capture>,
    /// Where there is one, all requests go through it.
    pub(in crate::local) queue: Option<Arc<AsyncQueue>>,
    routing: Mutex<Routing>,
}

/// A production variant with its containers.
#[derive(Clone)]
pub(in crate::local) struct Variant {
    pub(in crate::local) name: String,
    pub(in crate::local) weight: f64,
    pub(in crate::local) instances: u64,
    pub(in crate::local) serving: Arc<Serving>,
    pub(in crate::local) serverless: Option<Arc<Serverless>>,
    /// Where its containers log.
    pub(in crate::local) log_stream: String,
}

#[derive(Default)]
struct Routing {
    /// What each variant is owed: the one that is owed most is next.
    owed: Vec<f64>,
    /// What the shadow is owed.
    shadow: f64,
    captured: f64,
    sessions: BTreeMap<String, usize>,
    opened: VecDeque<String>,
}

impl Deployment {
    /// The endpoint's name seeds the order of variants: the same calls choose the same ones in each run.
    pub(super) fn new(endpoint: &str, variants: Vec<Variant>) -> Self {
        let mut random = fastrand::Rng::with_seed(hash(endpoint));
        let owed = variants.iter().map(|variant| variant.weight * random.f64()).collect();
        let routing = Mutex::new(Routing { owed, ..Routing::default() });
        Self { variants, shadows: Vec::new(), capture: None, queue: None, routing }
    }

    /// The same with other variants.
    pub(super) fn with_variants(&self, endpoint: &str, variants: Vec<Variant>) -> Self {
        Self {
            shadows: self.shadows.clone(),
            capture: self.capture.clone(),
            queue: self.queue.clone(),
            ..Self::new(endpoint, variants)
        }
    }

    /// The same with the weights and instance counts of summaries, as Describe gives them.
    pub(super) fn reweighed(&self, endpoint: &str, summaries: &[Value]) -> Self {
        let mut variants = self.variants.clone();
        for variant in &mut variants {
            let summary = summaries.iter().find(|summary| summary["VariantName"] == variant.name.as_str());
            let Some(summary) = summary else { continue };
            variant.weight = summary["CurrentWeight"].as_f64().unwrap_or(variant.weight);
            variant.instances = summary["CurrentInstanceCount"].as_u64().unwrap_or(variant.instances);
        }
        self.with_variants(endpoint, variants)
    }

    /// A variant in proportion to the weights: over many calls the shares are exact. `target` is the name that the
    /// request asks for, `session` the session that it belongs to.
    pub(in crate::local) fn choose(&self, target: Option<&str>, session: Option<&str>) -> Option<&Variant> {
        let wanted = |variant: &Variant| target.is_none_or(|target| variant.name == target);
        let mut routing = self.routing();
        let of_session = session.and_then(|session| routing.sessions.get(session).copied());
        if let Some(variant) = of_session.and_then(|at| self.variants.get(at)).filter(|variant| wanted(variant)) {
            return Some(variant);
        }
        let candidates = || self.variants.iter().enumerate().filter(|(_, variant)| wanted(variant));
        let mut total = 0.0;
        for (at, variant) in candidates() {
            routing.owed[at] += variant.weight;
            total += variant.weight;
        }
        let weighed = candidates().filter(|(_, variant)| variant.weight > 0.0);
        let next = weighed.max_by(|(a, _), (b, _)| routing.owed[*a].total_cmp(&routing.owed[*b]).then(b.cmp(a)));
        let (at, variant) = next.or_else(|| candidates().next())?;
        routing.owed[at] -= total;
        Some(variant)
    }

    /// The shadow variant, if it is to see a copy of this request: its weight against that of the production variant.
    pub(in crate::local) fn shadow(&self) -> Option<&Variant> {
        let (shadow, production) = (self.shadows.first()?, self.variants.first()?);
        let share = if production.weight > 0.0 { (shadow.weight / production.weight).min(1.0) } else { 0.0 };
        due(&mut self.routing().shadow, share).then_some(shadow)
    }

    /// Whether this request is to be captured.
    pub(in crate::local) fn captures(&self) -> bool {
        self.capture.as_ref().is_some_and(|capture| due(&mut self.routing().captured, capture.share()))
    }

    /// Requests of a session stay with the variant that opened it.
    pub(in crate::local) fn open_session(&self, session: &str, variant: &str) {
        let Some(at) = self.variants.iter().position(|known| known.name == variant) else { return };
        let mut routing = self.routing();
        if routing.sessions.insert(session.to_owned(), at).is_none() {
            routing.opened.push_back(session.to_owned());
        }
        while routing.opened.len() > MAX_SESSIONS {
            if let Some(oldest) = routing.opened.pop_front() {
                routing.sessions.remove(&oldest);
            }
        }
    }

    fn routing(&self) -> MutexGuard<'_, Routing> {
        self.routing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a share of the calls: true for exactly that share of them.
fn due(owed: &mut f64, share: f64) -> bool {
    // Shares such as 0.1 are not exact: without the margin the tenth call would be missed.
    *owed += share;
    let due = *owed > 1.0 - 1e-9;
    if due {
        *owed -= 1.0;
    }
    due
}

impl fmt::Debug for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.variants.iter().map(|variant| &variant.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn deployment(weights: &[f64]) -> Deployment {
        let variant = |(at, weight): (usize, &f64)| Variant {
            name: at.to_string(),
            weight: *weight,
            instances: 1,
            serving: Arc::default(),
            serverless: None,
            log_stream: String::new(),
        };
        Deployment::new("e", weights.iter().enumerate().map(variant).collect())
    }

    #[test]
    fn a_session_stays_with_its_variant() {
        let deployment = deployment(&[1.0, 1.0]);
        deployment.open_session("s", "1");
        assert!((0..9).all(|_| deployment.choose(None, Some("s")).unwrap().name == "1"));
        for number in 0..=MAX_SESSIONS {
            deployment.open_session(&number.to_string(), "0");
        }
        assert_eq!(deployment.routing().sessions.len(), MAX_SESSIONS);
        assert!(!deployment.routing().sessions.contains_key("s"));
    }

    #[test]
    fn a_share_of_the_calls_is_exact() {
        for percent in [0u32, 1, 10, 33, 100] {
            let mut owed = 0.0;
            let count = (0..1000).filter(|_| due(&mut owed, f64::from(percent) / 100.0)).count();
            assert_eq!(count, percent as usize * 10);
        }
    }

    proptest! {
        #[test]
        fn shares_follow_the_weights(weights in proptest::collection::vec(0u8..20, 1..6)) {
            let weights: Vec<f64> = weights.into_iter().map(f64::from).collect();
            let deployment = deployment(&weights);
            let total: f64 = weights.iter().sum();
            let calls = 500.0;
            let mut counts = vec![0.0; weights.len()];
            for _ in 0..500 {
                counts[deployment.choose(None, None).unwrap().name.parse::<usize>().unwrap()] += 1.0;
            }
            for (count, weight) in counts.iter().zip(&weights).filter(|_| total > 0.0) {
                prop_assert!((count - calls * weight / total).abs() <= weights.len() as f64, "{counts:?} of {weights:?}");
            }
        }
    }
}
