-- Sales, their items, the orders written for them, and what has to reach someone else.
-- The constraints hold the promises; the program relies on them and its tests break them.

create table sales (
    id               text        primary key check (length(id) between 1 and 64),
    -- Part of every job id, so it has to fit 20 bits.
    number           integer     not null generated always as identity (maxvalue 1048575) unique
                                 check (number between 1 and 1048575),
    title            text        not null,
    state            text        not null check (state in ('draft', 'open', 'paused', 'closed')),
    epoch            integer     not null default 0 check (epoch >= 0),
    opens_at         timestamptz not null,
    closes_at        timestamptz not null check (closes_at > opens_at),
    limit_per_buyer  integer     not null check (limit_per_buyer between 1 and 10000),
    payment_window_s integer     not null check (payment_window_s > 0),
    -- Are allowances counted in rows of their own? Needed above a limit of 1, where a unique index cannot count;
    -- and for good once the limit was ever above 1, so that what was sold before is not forgotten.
    counted          boolean     not null check (counted or limit_per_buyer = 1),
    created_at       timestamptz not null default now()
);

create table sale_items (
    sale_id      text     not null references sales (id),
    item_id      text     not null,
    position     smallint not null check (position between 0 and 255),
    title        text     not null,
    price_amount bigint   not null check (price_amount >= 0),
    currency     text     not null check (currency ~ '^[A-Z]{3}$'),
    stock        bigint   not null check (stock >= 0),
    -- Units in live orders, of which `paid` are paid; the last line of defence against overselling.
    sold         bigint   not null default 0 check (0 <= sold and sold <= stock),
    paid         bigint   not null default 0 check (0 <= paid and paid <= sold),
    -- +1 with each change of `sold` and with each epoch: a writer that saw an older one starts over.
    version      bigint   not null default 0,
    primary key (sale_id, item_id),
    unique (sale_id, position)
) with (
    -- One row is changed by each transaction of a sale: room in its page keeps those updates out of the indexes.
    fillfactor = 20,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000
);

-- One row per job; the first insert wins. No foreign keys: each would take and release a share lock on the sale's
-- row for every order, and the writer has read sale and item in the same transaction. No fillfactor: every later
-- change moves `status`, which the partial indexes look at, so room in the page would save nothing.
create table orders (
    id          uuid        primary key,  -- = job id = token id
    sale_id     text        not null,
    item_id     text,
    buyer_id    text,
    quantity    integer     not null check (quantity between 0 and 10000),
    status      text        not null
                            check (status in ('pending_payment', 'paid', 'expired', 'cancelled', 'rejected')),
    reason      text        check (reason in ('sold-out', 'limit-reached', 'unplaceable', 'discarded')),
    amount      bigint      check (amount >= 0),  -- in all, minor units
    currency    text        check (currency ~ '^[A-Z]{3}$'),
    rev         integer     not null default 1 check (rev >= 1),  -- +1 with each change of the units it holds
    exclusive   boolean     not null,  -- the sale's limit is 1: the unique index below is the buyer's allowance
    created_at  timestamptz not null default now(),
    admitted_at timestamptz,
    updated_at  timestamptz not null default now(),
    expires_at  timestamptz,
    check ((status = 'rejected') = (reason is not null)),
    check ((amount is null) = (currency is null)),
    -- Only a rejected row may be of a message that could not be read.
    check (status = 'rejected'
           or (item_id is not null and buyer_id is not null and quantity > 0 and amount is not null)),
    check (status <> 'pending_payment' or expires_at is not null)
);

-- A limit of 1, kept by the index itself.
create unique index orders_one_per_buyer on orders (sale_id, buyer_id)
    where exclusive and status in ('pending_payment', 'paid');
-- A buyer's own orders.
create index orders_owner on orders (buyer_id, created_at, id) where buyer_id is not null;
-- All orders of a sale, page by page. Ids begin with their time, so this index grows at its right end.
create index orders_of_sale on orders (sale_id, id);
-- Unpaid orders whose time is over.
create index orders_due on orders (expires_at) where status = 'pending_payment';

-- Units in live orders of a buyer, over all items, for sales that count them.
create table allowances (
    sale_id  text    not null,
    buyer_id text    not null,
    units    integer not null check (units >= 0),
    primary key (sale_id, buyer_id)
) with (fillfactor = 80);

-- What was written with an order and has to reach someone else: one row per transaction, item and sink.
create table outbox (
    id            bigint      generated always as identity primary key,
    sink          text        not null check (sink in ('gate', 'events')),
    sale_id       text        not null,
    sale_number   integer     not null,
    shard         smallint    not null,
    item_position smallint,
    version       bigint,  -- of the item, where its units changed
    units_delta   bigint      not null default 0,
    body          text        not null,
    created_at    timestamptz not null default now(),
    published_at  timestamptz,
    check (version is null or item_position is not null),
    check (version is not null or units_delta = 0)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- What waits, in order.
create index outbox_waiting on outbox (sink, id) where published_at is null;
-- What may be swept.
create index outbox_published on outbox (published_at) where published_at is not null;
-- Changes of an item after a version: the ledger takes them back.
create index outbox_changes on outbox (sale_id, item_position, version) include (units_delta)
    where sink = 'gate' and version is not null;

-- What operators did, written in the transaction that did it.
create table audit_log (
    id      bigint      generated always as identity primary key,
    at      timestamptz not null default now(),
    via     text        not null,
    action  text        not null,
    sale_id text        not null,
    reason  text,
    before  jsonb,
    after   jsonb       not null
);

create index audit_log_of_sale on audit_log (sale_id, id);
