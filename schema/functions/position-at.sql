/*
 * The last position recorded at or before an instant; 0 when there is none.
 *
 * Positions are dense and recorded_at never decreases with them, so a binary search over the primary key finds it: 27 look-ups in
 * a hundred million events, and no index on recorded_at to keep.
 */
create or replace function position_at(instant timestamptz) returns bigint
language plpgsql stable parallel safe as $$
declare
  low bigint := 0;
  high bigint;
  middle bigint;
begin
  select position into high from log_head;
  while low < high loop
    middle := (low + high + 1) / 2;
    if (select l.recorded_at from log l where l.position = middle) <= instant then
      low := middle;
    else
      high := middle - 1;
    end if;
  end loop;
  return low;
end
$$;
