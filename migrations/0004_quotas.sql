-- What buyers and API clients have used of their quotas, by day.

-- Added up. A generation is one life of the counter in Redis, '' what was counted here while Redis was away: the sum of
-- all is what was used.
create table quota_usage (
    day        date   not null,
    kind       text   not null check (kind in ('purchases', 'requests')),
    subject    text   not null,
    generation text   not null,
    used       bigint not null check (used >= 0),
    primary key (day, kind, subject, generation)
) with (fillfactor = 80);

-- Each use once: a batch whose commit found no answer is written again. Swept when its day is over.
create table quota_events (
    day     date not null,
    kind    text not null check (kind in ('purchases', 'requests')),
    subject text not null,
    id      text not null,
    primary key (day, kind, subject, id)
);
