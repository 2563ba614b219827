-- Writes a batch of appends; the only door to the log.

do $$ begin
  create type new_event as (
    append int, event_id uuid, stream uuid, revision int, type text, version smallint, actor text, at timestamptz,
    recorded_at timestamptz, note text, meta json, data json, salt bytea, body_hash bytea
  );
exception when duplicate_object then null;
end $$;

-- Rows of inline projections by who writes them. Its members are made from the projections' tables: src/projector/writers.ts.
do $$ begin
  create type inline_rows as ();
exception when duplicate_object then null;
end $$;

/* The first revision that each append of a batch has for each stream, and the actual last one of the stream, 0 when it is new. */
create or replace function first_revisions(batch new_event[])
returns table (append int, stream uuid, revision int, actual int) language sql stable as $$
  select e.append, e.stream, e.revision, coalesce(
    (select l.revision from log l where l.stream = e.stream order by l.revision desc limit 1), 0)
  from (select e.append, e.stream, min(e.revision) as revision from unnest(batch) e group by 1, 2) e
$$;

/* The appends of a batch that stand in the way, as append returns them. */
create or replace function append_troubles(batch new_event[])
returns table (append int, outcome text, "position" bigint, recorded_at timestamptz, stream uuid, revision int)
language plpgsql stable as $$
#variable_conflict use_column
begin
  return query
    select e.append,
      case when min(l.position - e.ordinality) = max(l.position - e.ordinality) and bool_and(
        l.position is not null and l.stream = e.stream and l.type = e.type and l.version = e.version and l.actor = e.actor
        and (l.salt is null or l.note is not distinct from e.note and l.data::text = e.data::text)) then 'repeated' else 'reused' end,
      min(l.position), min(l.recorded_at), null::uuid, null::int
    from unnest(batch) with ordinality e left join log l on l.event_id = e.event_id
    group by e.append
    having count(l.position) > 0;
  if found then return; end if;
  return query
    select distinct on (f.append) f.append, 'conflict', null::bigint, null::timestamptz, f.stream, f.actual
    from first_revisions(batch) f where f.revision <> f.actual + 1;
end
$$;

drop function if exists append(json, boolean, text[], json[]);

/*
 * `events` in the order they shall have; those of one append stand together.
 * `rights`: whether they change who may do what. `rows`: those of inline projections, or null; a negative position in one is that
 * of the batch's event of this number, from 1.
 *
 * Returns one row when all could be done: outcome 'done', the position of the batch's first event, and recorded_at of its last.
 * Otherwise nothing is written and the appends that stand in the way are returned: 'repeated' (all of it is in the log: position and
 * recorded_at as they were), 'reused' (some of its event ids are in the log, but not all, or for something else) or 'conflict' (stream
 * and its actual revision). An event id that was used before in another stream violates log_event_id.
 *
 * The lock is the first statement: each later one has a snapshot that sees what the last holder committed.
 */
create or replace function append(events new_event[], rights boolean, rows inline_rows)
returns table (append int, outcome text, "position" bigint, recorded_at timestamptz, stream uuid, revision int)
language plpgsql security definer set search_path = :site, pg_temp as $$
#variable_conflict use_column
declare
  head log_head;
  now_ms timestamptz;
begin
  select * into head from log_head for update;
  now_ms := greatest(head.recorded_at, date_trunc('milliseconds', clock_timestamp()));
  if events is null or cardinality(events) = 0 then
    raise exception 'an append without events' using errcode = 'invalid_parameter_value';
  end if;

  if exists (select from first_revisions(events) f where f.revision <> f.actual + 1) then
    return query select * from append_troubles(events);
    return;
  end if;

  with placed as (
    select e.*, head.position + e.ordinality as position,
      greatest(head.recorded_at, max(least(coalesce(e.recorded_at, now_ms), now_ms)) over (order by e.ordinality)) as placed_at
    from unnest(events) with ordinality e
  ), inserted as (
    insert into log (position, at, recorded_at, event_id, stream, revision, version, type, actor, note, meta, data, salt, body_hash, chain)
    select p.position, p.at, p.placed_at, p.event_id, p.stream, p.revision, p.version, p.type, p.actor, p.note, p.meta, p.data, p.salt,
      p.body_hash, chain(head.chain, convert_to(concat_ws(E'\n', p.position, p.event_id, p.stream, p.revision, p.type, p.version, p.actor,
        (extract(epoch from p.at) * 1000)::bigint, (extract(epoch from p.placed_at) * 1000)::bigint, ''), 'UTF8') || p.body_hash)
        over (order by p.position)
    from placed p
    returning log.position, log.recorded_at, log.chain
  ), last as (
    select i.position, i.recorded_at, i.chain from inserted i order by i.position desc limit 1
  )
  update log_head h
  set position = last.position, recorded_at = last.recorded_at, chain = last.chain,
      rights_position = case when append.rights then last.position else h.rights_position end
  from last
  returning h.recorded_at into head.recorded_at;

  if append.rows is distinct from null then
    perform write_inline(append.rows, head.position);
  end if;
  return query select null::int, 'done', head.position + 1, head.recorded_at, null::uuid, null::int;
end
$$;
