//! In-process backends: everything in memory, for a first sale and for tests.
