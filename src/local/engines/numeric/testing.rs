//! Jobs and requests for tests.
