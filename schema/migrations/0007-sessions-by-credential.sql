-- A session is worth what it was begun with: it names that credential, and ends with it. Everybody has to log in once more.

delete from sessions;
alter table sessions add column credential uuid not null;
drop index sessions_entity;
create index sessions_credential on sessions (credential);
