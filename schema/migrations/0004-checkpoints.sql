-- How far each projection and each worker is, who has it just now, and what stopped it: one row, moved by one compare-and-set.

create table checkpoints (
  kind           text        not null check (kind in ('projection', 'worker')),
  name           text        not null,
  mode           text        check (mode in ('inline', 'async')),
  version        int         not null,
  state          text        not null check (state in ('building', 'live', 'paused', 'failed')),
  epoch          uuid        not null,
  position       bigint      not null,
  lease_token    bigint      not null default 0,
  lease_owner    text,
  lease_until    timestamptz,
  tries          int         not null default 0,
  retry_at       timestamptz,
  error          text,
  error_position bigint,
  updated        timestamptz not null default now(),
  primary key (kind, name)
) with (fillfactor = 50);

comment on column checkpoints.mode is 'Of a projection: whether it is written in the append''s transaction, or follows.';
comment on column checkpoints.position is 'Everything up to here is in the rows. Of an inline projection: where the log was when its tables were built.';
comment on column checkpoints.epoch is 'Epoch of the log that position belongs to: in another one it means nothing, and whoever follows must stop.';
comment on column checkpoints.lease_token is 'Grows with each lease; who holds an older one cannot commit.';
comment on column checkpoints.error_position is 'The event that cannot be applied.';

insert into checkpoints (kind, name, mode, version, state, epoch, position)
select 'projection', p.name, 'inline', p.version, 'live', h.epoch, p.position from projections p cross join log_head h;

drop table projections;

create table skipped_events (
  name     text        not null,
  position bigint      not null,
  event_id uuid        not null,
  error    text        not null,
  skipped  timestamptz not null default now(),
  actor    text        not null,
  reason   text,
  primary key (name, position)
);
comment on table skipped_events is 'Events that an operator had a projection leave out, because it could not apply them.';

grant select, insert, update, delete on checkpoints, skipped_events to :app_role;
