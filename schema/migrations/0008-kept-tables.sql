-- What the tables hold that a rebuild has replaced, so that they can take their place again; and whose tables are whose when the projection is gone.

alter table checkpoints add column tables text[], add column kept json;
comment on column checkpoints.tables is 'Of a projection: the names of its tables; null when it was not there since they are written down.';
comment on column checkpoints.kept is 'Of a projection: {version, position, epoch} of the tables that the last rebuild has replaced, whose names end with __old.';
