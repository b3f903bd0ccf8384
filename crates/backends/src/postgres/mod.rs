//! Orders, sales and the outbox in Postgres.
