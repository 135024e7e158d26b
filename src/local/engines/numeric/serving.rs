//! Serving a model: read the rows, predict, write the answer.

use super::answer::{self, Prediction};
use super::matrix::Matrix;
use super::request;
use crate::local::engines::{Invocation, InvocationFailure, LoadedModel, Reply};

/// What predicts from rows.
pub(in crate::local::engines) trait Predictor: Send + Sync + 'static {
    /// The content types that are read.
    const ACCEPTED: &'static [&'static str];
    /// The name of the list of predictions in JSON.
    const LIST: &'static str = "predictions";
    /// Whether answers may be CSV.
    const ANSWERS_CSV: bool = false;
    /// Whether a small request may take long.
    const SLOW: bool = false;

    /// How many features a row has.
    fn columns(&self) -> usize;

    /// A prediction for each row, in order; `verbose` asks for more than usual.
    fn predict(&self, rows: &Matrix, verbose: bool) -> Vec<Prediction>;
}

/// A predictor that answers requests.
pub(in crate::local::engines) struct Served<P>(pub(in crate::local::engines) P);

impl<P: Predictor> LoadedModel for Served<P> {
    fn invoke(&self, request: &Invocation) -> Result<Reply, InvocationFailure> {
        let (form, verbose) = answer::form(&request.accept, P::ANSWERS_CSV)?;
        let rows = request::rows(request, self.0.columns(), P::ACCEPTED)?;
        answer::reply(form, P::LIST, &self.0.predict(&rows, verbose))
    }

    fn blocks(&self) -> bool {
        P::SLOW
    }
}
