/*
 * The text search configuration that the setting search.language names, when PostgreSQL has it; else english. Read from the log: the
 * settings' own table may just be built anew.
 */
create or replace function search_language() returns text language sql stable as $$
  select coalesce((
    select c.cfgname::text from (
      select data->>'value' as name from log
      where stream = '00000000-0000-4000-8000-000000000002' and type = 'SettingChanged' and data->>'key' = 'search.language'
      order by revision desc limit 1
    ) s join pg_ts_config c on c.cfgname = s.name and c.cfgnamespace = 'pg_catalog'::regnamespace
  ), 'english')
$$;
