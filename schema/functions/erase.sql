/* Empties all events, or those of one stream, that stand-ins are there for: after an erasure, or after events of another log were put in. */
create or replace function empty_erased(only_stream uuid default null) returns void language sql as $$
  update log l set note = null, meta = null, data = null, salt = null
  from stand_ins s
  where l.stream = s.stream and l.revision = s.revision and l.revision < s.told_by and l.salt is not null
    and (only_stream is null or s.stream = only_stream)
$$;

/*
 * Appends an Erased event and empties the events it names, in one transaction: the only thing that changes rows of the log. Which events
 * these are and what stands in for them is in its payload (src/content/plan-erasure.ts); a trigger keeps the stand-ins. Of a whole
 * entity what logs it in goes too. Answers kept for retries may repeat what is erased, so they go: a retry finds its events in the log.
 *
 * Rows of projections are exchanged by whoever calls, in the same transaction (src/commands/erase.ts). The app's role may not call this.
 *
 * Returns the position of the event; null when the stream has moved on.
 */
create or replace function erase(
  event_id uuid, stream uuid, revision int, version smallint, actor text, at timestamptz, note text, meta json, data json, salt bytea,
  body_hash bytea
) returns bigint language plpgsql security definer set search_path = :site, pg_temp as $$
#variable_conflict use_variable
declare
  done record;
begin
  select a.outcome, a.position into done
  from append(array[row(1, event_id, stream, revision, 'Erased', version, actor, at, null, note, meta, data, salt, body_hash)::new_event],
    true, null) a;
  if done.outcome <> 'done' then
    return null;
  end if;
  perform empty_erased(stream);
  if (data->>'whole')::boolean then
    delete from credential_secrets c where c.entity_id = erase.stream;
    delete from sessions s where s.entity_id = erase.stream;
  end if;
  delete from idempotency_keys k where k.body is not null;
  return done.position;
end
$$;
