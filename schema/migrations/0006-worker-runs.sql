-- Workers: when each is due and how its last run went, and indexes for what clean-up forgets.

alter table checkpoints
  add due      timestamptz,
  add schedule text,
  add started  timestamptz,
  add ended    timestamptz,
  add progress text,
  add report   json;

comment on column checkpoints.due is 'Of a worker that runs by time: when it does next. Whoever takes the lease then runs it, the others see the token grown.';
comment on column checkpoints.schedule is 'What makes a worker run, in words; when its definition says otherwise now, "due" is worked out anew.';
comment on column checkpoints.report is 'What the last run that succeeded said of itself.';

create index sessions_seen on sessions (seen);
create index rate_limits_until on rate_limits (until);
