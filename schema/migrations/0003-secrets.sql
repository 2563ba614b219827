-- What is neither in the log nor derived from it: secrets that people must be able to revoke, sessions, and answers kept for retries.

create table credential_secrets (
  credential uuid        not null primary key,
  entity_id  uuid        not null,
  secret     text        not null,
  created    timestamptz not null default now()
);
comment on column credential_secrets.secret is 'A password''s hash with its parameters, or the SHA-256 of a token in hexadecimal.';

create table sessions (
  session_hash bytea       not null primary key,
  entity_id    uuid        not null,
  created      timestamptz not null default now(),
  seen         timestamptz not null default now(),
  expires      timestamptz not null
);
create index sessions_entity on sessions (entity_id);
create index sessions_expires on sessions (expires);

create table idempotency_keys (
  actor    text        not null,
  key      text        not null,
  request  bytea       not null,
  status   int,
  headers  json,
  body     text,
  created  timestamptz not null default now(),
  primary key (actor, key)
);
create index idempotency_keys_created on idempotency_keys (created);

create table rate_limits (
  key   text        not null primary key,
  count int         not null,
  until timestamptz not null
);

grant select, insert, update, delete on credential_secrets, sessions, idempotency_keys, rate_limits to :app_role;
