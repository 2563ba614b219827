/**
 * How large things may be. A limit is checked where the thing enters, by the function named beside it.
 *
 * Lengths of text count UTF-16 code units, as `String.length` does; bytes are those of UTF-8.
 */

/** Characters of one label of a path (`content/path.ts`). */
export const LABEL_MAX = 255
/** Labels of a path, the root's own included. */
export const PATH_DEPTH_MAX = 32
/** Characters of a dotted path. An index entry of PostgreSQL has 2,704 bytes, and there is one on path and parent together. */
export const PATH_MAX = 1000
/** Characters of a label made from a title (`content/slug.ts`), the number against clashes included. */
export const SLUG_MAX = 48
/** Characters of the path part of a URL that are looked at (`content/path.ts`). */
export const URL_PATH_MAX = 4000
/** Segments after `/$/` in a URL. */
export const URL_REST_MAX = 16

/** Characters of a path pattern (`content/pattern.ts`). */
export const PATTERN_MAX = 500
/** Items between the dots of a pattern. */
export const PATTERN_ITEMS_MAX = 32
/** Items of a pattern that are stars. */
export const PATTERN_STARS_MAX = 8
/** Items of a pattern that begin with `!`. */
export const PATTERN_NOTS_MAX = 8

/** Characters of the name of a proto (`content/check-document.ts`). */
export const PROTO_MAX = 64
/** Characters of `summary.title`. */
export const TITLE_MAX = 500
/** Bytes of a document's summary as JSON. */
export const SUMMARY_MAX_BYTES = 64 * 1024
/** Bytes of a whole document as JSON. */
export const DOCUMENT_MAX_BYTES = 4 * 1024 * 1024
/** Tags of a document, over all predicates. */
export const TAGS_MAX = 500
/** Characters of the object or the class of a tag. */
export const TAG_TEXT_MAX = 2000

/** Characters of a deleted page's redirect (`content/decide-page.ts`). */
export const REDIRECT_MAX = 2000
/** Characters of the name of a file that belongs to a page (`content/decide-blob.ts`). */
export const BLOB_NAME_MAX = 255

/** Bytes of such a file, where it is uploaded (`commands/blobs.ts`). */
export const BLOB_MAX_BYTES = 100 * 1024 * 1024

/** Characters of an editor's note. */
export const NOTE_MAX = 2000
/** Characters of the name of a role or permission. */
export const ROLE_MAX = 64
/** Characters of a password (`access/password.ts`). */
export const PASSWORD_MAX = 1024
/** Publications that lie ahead of one page (`content/decide-schedule.ts`). */
export const SCHEDULES_MAX = 100

/** How long a session lasts without being used. */
export const SESSION_IDLE_DAYS = 7
/** How long an Idempotency-Key and its answer are kept. */
export const IDEMPOTENCY_HOURS = 24
