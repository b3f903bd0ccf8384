-- Roles of the database: one that owns the schema and migrates it, and two that work with it and can change nothing
-- about it. Run by an administrator in the database of the shop, before the first `seckill migrate` and after each one:
--
--   psql -d seckill -v owner_password=… -v gateway_password=… -v consumer_password=… -f roles.sql
--
-- `seckill migrate` runs as seckill_owner, gateways as seckill_gateway, consumers as seckill_consumer.
\set ON_ERROR_STOP on

select set_config('seckill.owner', :'owner_password', false),
       set_config('seckill.gateway', :'gateway_password', false),
       set_config('seckill.consumer', :'consumer_password', false) \g /dev/null

do $$
declare
    role_name text;
begin
    foreach role_name in array array['owner', 'gateway', 'consumer'] loop
        if not exists (select from pg_roles where rolname = 'seckill_' || role_name) then
            execute format('create role %I', 'seckill_' || role_name);
        end if;
        execute format('alter role %I login nosuperuser nocreatedb nocreaterole noreplication password %L',
                       'seckill_' || role_name, current_setting('seckill.' || role_name));
    end loop;
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect on database %I to seckill_owner, seckill_gateway, seckill_consumer', current_database());
end $$;

-- Only the owner makes anything.
revoke all on schema public from public;
grant usage, create on schema public to seckill_owner;
grant usage on schema public to seckill_gateway, seckill_consumer;

-- Rows only: no truncate, no trigger, no reference, no definition. What a later migration adds is covered.
alter default privileges for role seckill_owner in schema public
    grant select, insert, update, delete on tables to seckill_gateway, seckill_consumer;
grant select, insert, update, delete on all tables in schema public to seckill_gateway, seckill_consumer;

-- What was done cannot be undone in the log, and which migrations have run is the owner's to say.
do $$
begin
    if to_regclass('public.audit_log') is not null then
        revoke update, delete on audit_log from seckill_gateway, seckill_consumer;
    end if;
    -- What was seen is written once; old seconds are taken out and come back as minutes.
    if to_regclass('public.activity') is not null then
        revoke update on activity from seckill_gateway, seckill_consumer;
    end if;
    if to_regclass('public._sqlx_migrations') is not null then
        revoke insert, update, delete on _sqlx_migrations from seckill_gateway, seckill_consumer;
    end if;
end $$;
