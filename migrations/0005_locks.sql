-- Locks while Redis is away. A lock whose time is over is anybody's; no promise rests on one.
create table locks (
    name       text        primary key check (length(name) between 1 and 200),
    token      text        not null,
    expires_at timestamptz not null
);

-- What a crash left behind is found by it and removed.
create index locks_expired on locks (expires_at);
