-- What operators change while everything runs, and a log of all they do.

-- One row for each document: 'limits', 'concurrency'. Instances read them twice a second.
create table settings (
    name       text        primary key check (name ~ '^[a-z][a-z-]{0,39}$'),
    version    bigint      not null check (version > 0),
    value      jsonb       not null,
    changed_at timestamptz not null default now()
);

-- Not everything that operators do is done to a sale.
alter table audit_log alter column sale_id drop not null;
