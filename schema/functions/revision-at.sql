/*
 * The last revision of a stream that was recorded at or before a position; 0 when there is none.
 *
 * Revisions are dense and their positions grow with them, so a binary search finds it: 14 look-ups in ten thousand revisions.
 */
create or replace function revision_at(wanted uuid, upto bigint) returns int
language plpgsql stable parallel safe as $$
declare
  low int := 0;
  high int;
  middle int;
begin
  select l.revision into high from log l where l.stream = wanted order by l.revision desc limit 1;
  while low < coalesce(high, 0) loop
    middle := (low + high + 1) / 2;
    if (select l.position from log l where l.stream = wanted and l.revision = middle) <= upto then
      low := middle;
    else
      high := middle - 1;
    end if;
  end loop;
  return low;
end
$$;
