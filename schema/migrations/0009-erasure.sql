-- Erasure: what stands in place of events that were emptied, and a trigger that lets a row of the log be emptied and nothing else.

create table stand_ins (
  stream   uuid     not null,
  revision int      not null,
  told_by  int      not null,
  erased   int,
  version  smallint not null,
  note     text,
  meta     json,
  data     json,
  primary key (stream, revision)
);
comment on table stand_ins is 'What events of the log that were emptied are read as. Written only by the trigger of Erased events, which carry it.';
comment on column stand_ins.told_by is 'The revision of the Erased event that carries it.';
comment on column stand_ins.erased is 'The revision of the Erased event that erased it; null where it says all that it said before.';

create function keep_stand_ins() returns trigger language plpgsql as $$
begin
  insert into stand_ins (stream, revision, told_by, erased, version, note, meta, data)
  select new.stream, s.revision, new.revision, s.erased, s.version, s.note, nullif(s.meta::text, 'null')::json, nullif(s.data::text, 'null')::json
  from json_to_recordset(new.data->'standIns') s (revision int, erased int, version smallint, note text, meta json, data json)
  on conflict (stream, revision) do update
    set told_by = excluded.told_by, erased = excluded.erased, version = excluded.version,
        note = excluded.note, meta = excluded.meta, data = excluded.data
    where excluded.told_by > stand_ins.told_by;
  return null;
end
$$;

create trigger log_keeps_stand_ins after insert on log
  for each row when (new.type = 'Erased' and new.data is not null) execute function keep_stand_ins();

create function refuse_change_but_erasure() returns trigger language plpgsql as $$
declare
  emptied log := old;
begin
  emptied.note := null;
  emptied.meta := null;
  emptied.data := null;
  emptied.salt := null;
  if new *= emptied and exists (
    select from stand_ins s where s.stream = old.stream and s.revision = old.revision and s.told_by > old.revision
  ) then
    return new;
  end if;
  raise exception 'the log is append-only: % refused', tg_op using errcode = 'insufficient_privilege';
end
$$;

drop trigger log_is_append_only on log;
create trigger log_is_append_only before delete or truncate on log
  for each statement execute function refuse_change_of_log();
create trigger log_is_only_emptied before update on log
  for each row execute function refuse_change_but_erasure();

create view events as
select position, event_id, stream, revision, type, actor, at, recorded_at,
  case when l.salt is null
    then coalesce((select s.version from stand_ins s where s.stream = l.stream and s.revision = l.revision), l.version)
    else l.version end as version,
  case when l.salt is null
    then (select s.note from stand_ins s where s.stream = l.stream and s.revision = l.revision) else l.note end as note,
  case when l.salt is null
    then (select s.meta from stand_ins s where s.stream = l.stream and s.revision = l.revision) else l.meta end as meta,
  case when l.salt is null
    then (select s.data from stand_ins s where s.stream = l.stream and s.revision = l.revision) else l.data end as data,
  case when l.salt is null
    then (select coalesce(s.erased, 0) from stand_ins s where s.stream = l.stream and s.revision = l.revision) end as erased
from log l;
comment on view events is 'The log as it is read: emptied events are what stands in for them. "erased": null: it says what it always said; 0: so it does, out of its stand-in; else the revision of the Erased event.';

create index log_emptied on log (stream, revision) where salt is null;
create index log_erasures on log (position) where type = 'Erased';
