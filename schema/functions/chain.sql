-- The hash chain of the log. src/log/chain.ts computes the same from rows it has read.

/* The columns of an event that are never erased, as the bytes that are hashed: text parts by line, then body_hash. */
create or replace function event_header(
  "position" bigint, event_id uuid, stream uuid, revision int, type text, version smallint,
  actor text, at timestamptz, recorded_at timestamptz, body_hash bytea
) returns bytea language plpgsql immutable parallel safe as $$
begin
  return convert_to(concat_ws(E'\n',
    "position", event_id, stream, revision, type, version, actor,
    (extract(epoch from at) * 1000)::bigint, (extract(epoch from recorded_at) * 1000)::bigint, ''), 'UTF8') || body_hash;
end
$$;

create or replace function chain_step(state bytea, previous bytea, header bytea)
returns bytea language plpgsql immutable parallel safe as $$
begin
  return sha256(coalesce(state, previous) || header);
end
$$;

/* chain(previous, header) over (order by position): the chain value at each row, `previous` being the one before the first. */
create or replace aggregate chain(previous bytea, header bytea) (sfunc = chain_step, stype = bytea);
