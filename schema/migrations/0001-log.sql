-- The log is the truth of a site; everything else in this schema but blobs' names, secrets and sessions can be rebuilt from it.

create table log_head (
  site            boolean     primary key default true check (site),
  position        bigint      not null default 0,
  rights_position bigint      not null default 0,
  recorded_at     timestamptz not null default '-infinity',
  epoch           uuid        not null default gen_random_uuid(),
  chain           bytea       not null default decode(repeat('00', 32), 'hex')
) with (fillfactor = 10);

comment on table log_head is 'One row: the last position of the log. Its lock orders all appends.';
comment on column log_head.rights_position is 'Position of the last event that changed who may do what.';
comment on column log_head.epoch is 'Made anew when a log is restored or goes back: a position is only comparable within one epoch.';

insert into log_head default values;

create table log (
  position    bigint      not null,
  at          timestamptz not null,
  recorded_at timestamptz not null,
  event_id    uuid        not null,
  stream      uuid        not null,
  revision    int         not null check (revision > 0),
  version     smallint    not null check (version > 0),
  type        text        not null check (type ~ '^[A-Z][A-Za-z]{0,63}$'),
  actor       text        not null check (actor ~ '^[a-z0-9-]{1,64}$'),
  note        text,
  meta        json,
  data        json,
  salt        bytea,
  body_hash   bytea       not null check (length(body_hash) = 32),
  chain       bytea       not null check (length(chain) = 32),
  constraint log_position primary key (position),
  constraint log_event_id unique (event_id),
  constraint log_stream_revision unique (stream, revision)
);

comment on column log.position is 'Place in the log of the site: 1, 2, 3 … without a gap, in the order of commits.';
comment on column log.body_hash is 'SHA-256 of the erasable columns salt, note, meta and data; see docs/design/log.md.';
comment on column log.chain is 'SHA-256 of the chain value before, the columns that are never erased, and body_hash.';

create function refuse_change_of_log() returns trigger language plpgsql as $$
begin
  raise exception 'the log is append-only: % refused', tg_op using errcode = 'insufficient_privilege';
end
$$;

create trigger log_is_append_only before update or delete or truncate on log
  for each statement execute function refuse_change_of_log();
