-- What was asked of a sale and how it was answered. Every process writes what it has seen, once a second while there is
-- something; adding up is done by whoever reads. Rows are written once and never changed.

-- Compact: a row of a busy second has some 400 bytes. After an hour a minute is one row, of all instances.
create table activity (
    id          bigint      not null generated always as identity,
    sale_number integer     not null,
    at          timestamptz not null,  -- the beginning of the time
    seconds     smallint    not null check (seconds in (1, 60)),
    instance    text        not null,  -- one run of one process; '' for all of them
    activity    jsonb       not null,
    -- What is new, in the order in which it was written.
    primary key (sale_number, id),
    -- A batch whose answer was lost is written again.
    unique (sale_number, at, seconds, instance)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- What is to become minutes.
create index activity_by_second on activity (at) where seconds = 1;

-- Who is alive: each says so once a second.
create table instances (
    id      text        primary key,
    role    text        not null check (role in ('gateway', 'consumer')),
    seen_at timestamptz not null
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
