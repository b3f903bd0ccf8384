//! The gate on Redis: every decision is one of the scripts in `lua/`.
