/*
 * Trigger of a table that is being built: notes what a statement did to its rows. Arguments: the table as its projection calls it, and SQL for
 * the checksum of a row `t`. The transition tables are `added` and `removed`.
 */
create or replace function sum_rows() returns trigger language plpgsql as $$
begin
  if tg_op <> 'DELETE' then
    execute format('insert into rebuild_sums select $1, count(*), bit_xor(%s) from added t having count(*) > 0', tg_argv[1]) using tg_argv[0];
  end if;
  if tg_op <> 'INSERT' then
    execute format('insert into rebuild_sums select $1, -count(*), bit_xor(%s) from removed t having count(*) > 0', tg_argv[1]) using tg_argv[0];
  end if;
  return null;
end
$$;
