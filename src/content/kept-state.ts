import { pack, unpack } from '../codec/pack.ts'
import type { State } from './state.ts'

/** A state as the bytes that a keyframe keeps. What readers see is mostly also the newest content: it is kept once. */
export function keepState(state: State): Buffer {
  return pack(withoutRepetition(state))
}

/** The state that a keyframe's body holds. @throws LOG_DAMAGED */
export function stateOfKeyframe(body: Uint8Array): State {
  return withRepetition(unpack(body) as unknown as State)
}

function withoutRepetition(state: State): object {
  if (state.kind !== 'entity' || state.live === null) return state
  if (state.live.document !== state.tip) return state
  return { ...state, live: { ...state.live, document: null } }
}

function withRepetition(state: State): State {
  if (state.kind !== 'entity' || state.live === null || state.live.document !== null) return state
  return { ...state, live: { ...state.live, document: state.tip } }
}
