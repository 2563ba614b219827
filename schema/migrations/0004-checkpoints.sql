-- How far each projection and each worker is, who has it just now, and what stopped it: one row, moved by one compare-and-set.

create table checkpoints (
  kind           text        not null check (kind in ('projection', 'worker')),
  name           text        not null,
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

comment on column checkpoints.position is 'Everything up to here is in the rows. Of an inline projection: where the log was when its tables were built.';
comment on column checkpoints.epoch is 'Epoch of the log that position belongs to: in another one it means nothing, and whoever follows must stop.';
comment on column checkpoints.lease_token is 'Grows with each lease; who holds an older one cannot commit.';
comment on column checkpoints.error_position is 'The event that cannot be applied.';

insert into checkpoints (kind, name, version, state, epoch, position)
select 'projection', p.name, p.version, 'live', h.epoch, p.position from projections p cross join log_head h;

drop table projections;

grant select, insert, update, delete on checkpoints to :app_role;
