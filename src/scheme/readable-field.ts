/** A stretch of a line and whether both sides have it. */
export interface ReadableSpan {
  readonly type: 'same' | 'added' | 'removed'
  readonly text: string
}

/**
 * A line of a field on either side.
 *
 * `from` and `to` are its numbers, 1-based, null where that side does not have it. A changed line has spans of both sides.
 * `gap` stands for `count` lines left out because nothing changed.
 */
export type ReadableLine =
  | {
      readonly type: 'same' | 'added' | 'removed' | 'changed'
      readonly from: number | null
      readonly to: number | null
      readonly spans: readonly ReadableSpan[]
    }
  | { readonly type: 'gap'; readonly count: number }

/** A field of the document that changed. */
export interface ReadableField {
  /** JSON Pointer of the field. */
  readonly pointer: string
  /** For people: `Title`, `Text, block 2`. */
  readonly label: string
  readonly type: 'added' | 'removed' | 'changed'
  readonly lines: readonly ReadableLine[]
}
