/*
 * The last position recorded at or before an instant; 0 when there is none. Who knows that it is not before `lowest` and not after `highest`,
 * of which there is a later one, spares the search the rest of the log.
 *
 * Positions are dense and recorded_at never decreases with them, so a search over the primary key finds it, and there is no index on
 * recorded_at to keep. Where the instant lies between the ends of what is left says about where the position does; every third step
 * halves, for logs that grew in leaps. A site that grows evenly takes a handful of look-ups; none takes more than three times the
 * 27 of halving a hundred million.
 */
drop function if exists position_at(timestamptz);
create or replace function position_at(instant timestamptz, lowest bigint default null, highest bigint default null) returns bigint
language plpgsql stable parallel safe as $$
declare
  low bigint := greatest(lowest, 1);
  high bigint := highest + 1;
  middle bigint;
  low_at timestamptz;
  high_at timestamptz;
  middle_at timestamptz;
  turn int := 0;
begin
  if lowest = highest then
    return lowest;
  end if;
  if high is null then
    select position, recorded_at into high, high_at from log_head;
    if high = 0 or instant >= high_at then
      return high;
    end if;
  else
    select l.recorded_at into high_at from log l where l.position = high;
  end if;
  select l.recorded_at into low_at from log l where l.position = low;
  if instant < low_at then
    return 0;
  end if;
  while high - low > 1 loop
    middle := low + case turn % 3
      when 2 then (high - low) / 2
      -- the second step looks right behind where the first may have found it
      else ((high - low) * (extract(epoch from instant - low_at) / extract(epoch from high_at - low_at)))::bigint + turn % 3 end;
    middle := least(greatest(middle, low + 1), high - 1);
    select l.recorded_at into middle_at from log l where l.position = middle;
    if middle_at <= instant then
      low := middle;
      low_at := middle_at;
    else
      high := middle;
      high_at := middle_at;
    end if;
    turn := turn + 1;
  end loop;
  return low;
end
$$;
