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
drop aggregate if exists chain(bytea, bytea);
drop function if exists chain_step(bytea, bytea, bytea);
drop function if exists event_header(bigint, uuid, uuid, int, text, smallint, text, timestamptz, timestamptz, bytea);

/*
 * `events` in the order they shall have; those of one append stand together.
 * `rights`: whether they change who may do what. `rows`: those of inline projections, or null; a negative position in one is that
 * of the batch's event of this number, from 1. `rights_at`: the rights position that the batch rests on, or null.
 *
 * Returns one row when all could be done: outcome 'done', the position of the batch's first event, and recorded_at of its last.
 * Otherwise nothing is written and one row tells that the rights have changed ('rights', with the position they are of now), or the
 * appends that stand in the way are returned: 'repeated' (all of it is in the log: position and recorded_at as they were), 'reused'
 * (some of its event ids are in the log, but not all, or for something else) or 'conflict' (stream and its actual revision). An event
 * id that was used before in another stream violates log_event_id.
 *
 * The lock is the first statement: each later one has a snapshot that sees what the last holder committed. The chain is computed as
 * src/log/chain.ts does it from rows it has read: docs/design/log.md.
 */
create or replace function append(events new_event[], rights boolean, rows inline_rows, rights_at bigint)
returns table (append int, outcome text, "position" bigint, recorded_at timestamptz, stream uuid, revision int)
language plpgsql security definer set search_path = :site, pg_temp as $$
#variable_conflict use_column
declare
  head log_head;
  first bigint;
  now_ms timestamptz;
  event new_event;
  places timestamptz[] := '{}';
  chains bytea[] := '{}';
begin
  select * into head from log_head for update;
  first := head.position + 1;
  now_ms := greatest(head.recorded_at, date_trunc('milliseconds', clock_timestamp()));
  if events is null or cardinality(events) = 0 then
    raise exception 'an append without events' using errcode = 'invalid_parameter_value';
  end if;
  if append.rights_at <> head.rights_position then
    outcome := 'rights';
    "position" := head.rights_position;
    return next;
    return;
  end if;

  if exists (select from first_revisions(events) f where f.revision <> f.actual + 1) then
    return query select * from append_troubles(events);
    return;
  end if;

  foreach event in array events loop
    head.position := head.position + 1;
    head.recorded_at := greatest(head.recorded_at, least(coalesce(event.recorded_at, now_ms), now_ms));
    head.chain := sha256(head.chain || convert_to(concat_ws(E'\n', head.position, event.event_id, event.stream, event.revision, event.type,
      event.version, event.actor, (extract(epoch from event.at) * 1000)::bigint, (extract(epoch from head.recorded_at) * 1000)::bigint, ''),
      'UTF8') || event.body_hash);
    places := places || head.recorded_at;
    chains := chains || head.chain;
  end loop;
  insert into log (position, at, recorded_at, event_id, stream, revision, version, type, actor, note, meta, data, salt, body_hash, chain)
    select first - 1 + e.ordinality, e.at, e.placed_at, e.event_id, e.stream, e.revision, e.version, e.type, e.actor, e.note, e.meta, e.data,
      e.salt, e.body_hash, e.chain
    from rows from (unnest(events), unnest(places), unnest(chains)) with ordinality
      e (append, event_id, stream, revision, type, version, actor, at, recorded_at, note, meta, data, salt, body_hash, placed_at, chain);
  update log_head h
  set position = head.position, recorded_at = head.recorded_at, chain = head.chain,
      rights_position = case when append.rights then head.position else h.rights_position end;

  if append.rows is distinct from null then
    perform write_inline(append.rows, first - 1);
  end if;
  outcome := 'done';
  "position" := first;
  recorded_at := head.recorded_at;
  return next;
end
$$;

/* As an rm3 calls it that knows nothing of `rights_at`, and may run beside this one. When it starts it puts its own here. */
create or replace function append(events new_event[], rights boolean, rows inline_rows)
returns table (append int, outcome text, "position" bigint, recorded_at timestamptz, stream uuid, revision int)
language sql set search_path = :site, pg_temp as $$
  select * from append($1, $2, $3, null::bigint)
$$;
