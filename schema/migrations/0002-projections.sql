-- Which projections are built, in which version, and from which position on they are written.

create table projections (
  name     text   not null primary key,
  version  int    not null,
  position bigint not null
);
