import { defineProjection, isKeyframe, pack, put, type State, unpack } from 'rm3'

/** Every so often the state of a stream whole, so that any revision is a keyframe and a bounded run of events away. */
export default defineProjection({
  name: 'keyframes',
  version: 3,
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
    const body = `\\x${pack(withoutRepetition(after)).toString('hex')}`
    return [put('keyframes', { stream: event.stream, revision: after.revision, body })]
  },
})

/** What readers see is mostly also the newest content: it is kept once. */
function withoutRepetition(state: State): object {
  if (state.kind !== 'entity' || state.live === null) return state
  if (state.live.document !== state.tip) return state
  return { ...state, live: { ...state.live, document: null } }
}

function withRepetition(state: State): State {
  if (state.kind !== 'entity' || state.live === null || state.live.document !== null) return state
  return { ...state, live: { ...state.live, document: state.tip } }
}

/** The state that a keyframe's body holds. */
export function stateOfKeyframe(body: Buffer): State {
  return withRepetition(unpack(body) as unknown as State)
}
