import { defineProjection, isKeyframe, keepState, put } from 'rm3'

/** Every so often the state of a stream whole, so that any revision is a keyframe and a bounded run of events away. */
export default defineProjection({
  name: 'keyframes',
  version: 4,
  mode: 'inline',
  tables: { keyframes: { column: 'stream' } },
  sql: `
    create table {keyframes} (
      stream   uuid  not null,
      revision int   not null,
      body     bytea not null,
      primary key (stream, revision)
    );
    alter table {keyframes} alter body set storage external; -- it is compressed already
  `,
  step: ({ event, after }) => {
    if (!isKeyframe(after)) return []
    const body = `\\x${keepState(after).toString('hex')}`
    return [put('keyframes', { stream: event.stream, revision: after.revision, body })]
  },
})
