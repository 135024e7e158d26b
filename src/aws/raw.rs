/// What a caller changes in a request before it is sent, in the order in which it was asked for.
pub(crate) struct RawChanges<B>(Vec<Change<B>>);

type Change<B> = Box<dyn FnOnce(B) -> B + Send>;

impl<B> RawChanges<B> {
    pub(crate) fn push(&mut self, change: impl FnOnce(B) -> B + Send + 'static) {
        self.0.push(Box::new(change));
    }

    pub(crate) fn apply(self, request: B) -> B {
        self.0.into_iter().fold(request, |request, change| change(request))
    }
}

impl<B> Default for RawChanges<B> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
