-- The hash chain of the log. src/log/chain.ts computes the same from rows it has read.

create or replace function chain_step(state bytea, previous bytea, header bytea)
returns bytea language plpgsql immutable parallel safe as $$
begin
  return sha256(coalesce(state, previous) || header);
end
$$;

/*
 * chain(previous, header) over (order by position): the chain value at each row, `previous` being the one before the first. A row's
 * header is its columns that are never erased, a line each, and then its body_hash: see append.
 */
create or replace aggregate chain(previous bytea, header bytea) (sfunc = chain_step, stype = bytea);

drop function if exists event_header(bigint, uuid, uuid, int, text, smallint, text, timestamptz, timestamptz, bytea);
