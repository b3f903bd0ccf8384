-- What becomes of an order after it was placed: payments, deadlines, refunds; and stock that changes during a sale.

-- +1 with each event of the order; `rev` counts only what changes its units. Until now they were the same: 1.
alter table orders add column seq integer not null default 1 check (seq >= 1);

-- Unpaid orders by item and deadline: those whose time is over, and the last deadline of an item.
drop index orders_due;
create index orders_due on orders (sale_id, item_id, expires_at) where status = 'pending_payment';

-- +1 with each restock since warm-up: what the gate tells a newer stock by.
alter table sale_items add column stock_rev integer not null default 0 check (stock_rev >= 0);

-- Change of the item's stock at this version.
alter table outbox add column stock_delta bigint not null default 0;
alter table outbox add check (version is not null or stock_delta = 0);
drop index outbox_changes;
create index outbox_changes on outbox (sale_id, item_position, version) include (units_delta, stock_delta)
    where sink = 'gate' and version is not null;

-- One row per payment, however many webhooks report it. No foreign key: a payment may come before its order's row.
create table payments (
    id          text        primary key check (length(id) between 1 and 128),
    order_id    uuid        not null,
    amount      bigint      not null,  -- as reported, minor units
    currency    text        not null check (currency ~ '^[A-Z]{3}$'),
    state       text        not null check (state in ('open', 'settled', 'refund_due', 'refunded', 'failed')),
    reason      text        check (reason in ('late', 'order-ended', 'paid-twice', 'wrong-amount', 'unknown-order')),
    attempts    integer     not null default 0,  -- how often a refund was claimed
    due_at      timestamptz not null default now(),  -- an open one is looked at, a refund is made, not before this
    received_at timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    check ((reason is not null) = (state in ('refund_due', 'refunded')))
);

-- A payment pays one order at most, and an order is paid by one payment at most.
create unique index payments_settled on payments (order_id) where state = 'settled';
-- What the owner of an order sees of its payments.
create index payments_of_order on payments (order_id, received_at);
-- What has to be decided, or given back.
create index payments_due on payments (state, due_at) where state in ('open', 'refund_due');

-- Webhooks that were noted: the same id is the same webhook.
create table payment_events (
    id          text        primary key check (length(id) between 1 and 128),
    payment_id  text        not null,
    result      text        not null check (result in ('succeeded', 'failed')),
    received_at timestamptz not null default now()
);

-- Changes of an item's stock, each done once.
create table restocks (
    sale_id    text        not null references sales (id),
    id         text        not null check (length(id) between 1 and 64),
    item_id    text        not null,
    delta      bigint      not null check (delta <> 0),
    -- 'withdrawing': the gate is asked to set the units aside.
    state      text        not null check (state in ('done', 'withdrawing', 'refused')),
    stock      bigint      check (stock >= 0),  -- of the item, when this was done
    why        text,       -- it was refused
    via        text        not null,
    reason     text,       -- the operator's
    created_at timestamptz not null default now(),
    ended_at   timestamptz,
    primary key (sale_id, id),
    check (state <> 'withdrawing' or delta < 0),
    check ((state = 'done') = (stock is not null)),
    check ((state = 'refused') = (why is not null)),
    check ((state = 'withdrawing') = (ended_at is null))
);

create index restocks_open on restocks (created_at) where state = 'withdrawing';
