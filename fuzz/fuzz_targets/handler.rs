//! Any HTTP request, to any service, on a backend that others have used before: it answers, and soon.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use sagemaker_fuzz::{World, request};

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

fuzz_target!(|text: &[u8]| {
    if let Some(request) = request(text) {
        WORLD.with_borrow_mut(|world| world.answer(request));
    }
});
