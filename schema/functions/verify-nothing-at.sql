/*
 * Refuses the append that is under way when a live page is at or below one of the paths, though it meant to move all of them away:
 * another writer put it there since it looked. Called by append after all rows are written; `rows`:
 * [{"path": "wh.a", "except": ["<entity id>"]}], `except` being those that the append itself puts there.
 */
create or replace function verify_nothing_at(rows json) returns void language plpgsql as $$
declare
  moved json;
  left_over text;
begin
  for moved in select e from json_array_elements(rows) e loop
    select p.path into left_over from pages p
    where (p.path = moved->>'path' or (p.path >= (moved->>'path') || '.' and p.path < (moved->>'path') || '/'))
      and p.entity_id <> all (array(select json_array_elements_text(moved->'except'))::uuid[])
    limit 1;
    if found then
      raise exception 'a page is at % now', left_over using errcode = 'RM001';
    end if;
  end loop;
end
$$;
