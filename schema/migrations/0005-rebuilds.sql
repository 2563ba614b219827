-- The rebuild of projections that is under way or was the last, so that any number of processes share it and a killed one is resumed.

create table rebuilds (
  site        boolean     primary key default true check (site),
  phase       text        not null check (phase in ('load', 'follow', 'done')),
  plan        json        not null,
  epoch       uuid        not null,
  loaded_to   bigint      not null,
  position    bigint      not null,
  ordered_to  bigint      not null default 0,
  drift       json,
  started     timestamptz not null default now(),
  ended       timestamptz
);
comment on column rebuilds.loaded_to is 'The log up to here is folded chunk by chunk.';
comment on column rebuilds.position is 'In phase follow: what the new tables hold.';
comment on column rebuilds.ordered_to is 'In phase load: what the new tables of ordered projections hold.';
comment on column rebuilds.drift is 'Rows of the old tables that were not as the log has it, by table; null when they could not be compared.';

create table rebuild_chunks (
  chunk        int     primary key,
  from_stream  uuid    not null,
  until_stream uuid,
  events       bigint,
  done         boolean not null default false
);
comment on column rebuild_chunks.events is 'How many were folded.';

create table scrubs (
  site          boolean     primary key default true check (site),
  round_started timestamptz not null default now(),
  next_stream   uuid        not null default '00000000-0000-0000-0000-000000000000',
  events        bigint      not null default 0,
  differences   bigint      not null default 0,
  findings      json        not null default '[]',
  updated       timestamptz not null default now(),
  last_round    json
);
comment on table scrubs is 'Which rows the round that is under way has compared with the log, and what it and the last whole one found.';
