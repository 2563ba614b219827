-- Checksums of the rows that a rebuild writes, so that its tables are proved to hold them without folding the log once more.

create table rebuild_sums (
  made_table text   not null,
  rows       bigint not null,
  hash       bigint not null
);
comment on table rebuild_sums is 'What statements did to tables that are being built, as the trigger sum_rows saw it: rows that came less those that went, and their checksums joined by XOR.';

alter table rebuilds add column altered text[];
comment on column rebuilds.altered is 'New tables that did not hold what was written to them when all was; null until then, and where it was not summed up.';
