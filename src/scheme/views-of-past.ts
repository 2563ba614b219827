/** What the caller gives to have views of the past rendered; see `views.ts`. */
import type { BlameField } from '../codec/blame-fields.ts'
import type { FieldChange } from '../codec/readable-diff.ts'
import type { Document } from '../content/document.ts'
import type { SiteImage } from './images.ts'
import type { Frame, Link, Person, RevisionEntry, Subject } from './views.ts'

/** The history of an entity, newest first. */
export interface HistoryView {
  readonly frame: Frame
  readonly subject: Subject
  readonly breadcrumb: readonly Link[]
  /** Number of all revisions. */
  readonly total: number
  readonly entries: readonly RevisionEntry[]
  readonly newerUrl: string | null
  readonly olderUrl: string | null
  /** A GET form to it with `from` and `to` (revision numbers) compares two; null: not offered. */
  readonly compareUrl: string | null
  /** Hidden fields of that form, such as `at`. */
  readonly compareFields: readonly Field[]
  readonly filter: HistoryFilter
  /** Null when there is no text that somebody wrote. */
  readonly blameUrl: string | null
  /** Where the page, which is deleted, can be brought back; null where that is not offered. */
  readonly undeleteUrl: string | null
}

/** A hidden field of a form. */
export interface Field {
  readonly name: string
  readonly value: string
}

/** What was chosen of a history by a GET form. */
export interface HistoryFilter {
  readonly action: string
  readonly fields: readonly Field[]
  readonly isSet: boolean
  /** A login name; days as `2026-01-31`; '' for any. */
  readonly author: string
  readonly since: string
  readonly until: string
  readonly allUrl: string
}

/** Who wrote what of a page. */
export interface BlameView {
  readonly frame: Frame
  readonly subject: Subject
  readonly breadcrumb: readonly Link[]
  readonly fields: readonly BlameField[]
  /** By revision. */
  readonly revisions: ReadonlyMap<number, RevisionEntry>
  readonly historyUrl: string
}

/** What changed between two revisions. */
export interface DiffView {
  readonly frame: Frame
  readonly subject: Subject
  readonly breadcrumb: readonly Link[]
  readonly from: RevisionEntry
  readonly to: RevisionEntry
  /** As `readableDiff` of the two documents says. */
  readonly changes: readonly FieldChange[]
  readonly files: readonly ChangedFile[]
  /** Both documents, to be shown side by side as readers see them in place of what changed; null: what changed is shown. */
  readonly rendered: { readonly from: RenderedSide; readonly to: RenderedSide } | null
  /** The same two the other way. */
  readonly otherUrl: string
  /** Where all of `from` can be brought back, or with `field` one of its fields; null where that is not offered. */
  readonly restoreUrl: string | null
  readonly historyUrl: string
  readonly previousUrl: string | null
  readonly nextUrl: string | null
}

/** What readers see of one side of a comparison. */
export interface RenderedSide {
  readonly document: Document
  /** Pictures in its texts, by dotted path; null or missing: not there, or not for this reader. */
  readonly images: Readonly<Record<string, SiteImage | null>>
}

/** A file of a page that differs; null where there is none of this name. */
export interface ChangedFile {
  readonly name: string
  readonly before: FileThen | null
  readonly after: FileThen | null
}

export interface FileThen {
  readonly url: string
  readonly mediaType: string
  readonly sizeBytes: number
}

/** What changed on the site. */
export interface ChangesView {
  readonly frame: Frame
  readonly action: string
  readonly chosen: {
    readonly from: string
    readonly to: string
    readonly under: string
    readonly author: string
    readonly isSet: boolean
  }
  /** The newest first. */
  readonly saves: readonly SaveView[]
  readonly feedUrl: string
  /** Null when this is the first part. */
  readonly firstUrl: string | null
  readonly nextUrl: string | null
}

/** What was saved at once. */
export interface SaveView {
  readonly at: string
  readonly author: Person | null
  readonly note: string | null
  /** The site as it was then. */
  readonly timeUrl: string
  readonly changes: readonly SavedChange[]
}

export interface SavedChange {
  readonly title: string | null
  /** Null for rights and settings of the site. */
  readonly path: string | null
  readonly was: string | null
  readonly type: string
  /** The history of the page; null where it has no address. */
  readonly url: string | null
}

/** What bringing something back would come to, with the form that does it. */
export interface RestoreView {
  readonly frame: Frame
  readonly subject: Subject
  readonly breadcrumb: readonly Link[]
  readonly historyUrl: string
  /** Where the form is posted, with its hidden fields. */
  readonly action: string
  readonly fields: readonly Field[]
  /** What went wrong the last time, for people; null at first. */
  readonly problem: string | null
  readonly note: string
  readonly what: RestoredRevision | RestoredPages
  /** What goes with it and is not there any more. */
  readonly missing: readonly { readonly kind: 'page' | 'file' | 'proto'; readonly name: string }[]
}

export interface RestoredRevision {
  readonly type: 'revision'
  readonly entry: RevisionEntry
  /** The pointer of the only field that comes back; null: all of it does. */
  readonly field: string | null
  /** What would be another than it is now, as `readableDiff` says. */
  readonly changes: readonly FieldChange[]
  /** Whether the form has it come back as a draft. */
  readonly draft: boolean
}

export interface RestoredPages {
  readonly type: 'pages'
  /** Dotted paths: where it would come back. */
  readonly to: string
  /** Whether the form has all that was deleted below it come back too. */
  readonly below: boolean
  /** What was deleted below it and would come back. */
  readonly pages: readonly { readonly path: string; readonly to: string }[]
  /** What would stay deleted, with the code of why. */
  readonly left: readonly { readonly path: string; readonly why: string }[]
}

/** When words were said, and by whom. */
export interface SaidView {
  readonly frame: Frame
  /** A GET form to it with `q`. */
  readonly action: string
  /** '' when nothing is looked for yet. */
  readonly words: string
  /** Those whose last such change is newest come first. */
  readonly pages: readonly SaidPage[]
  /** Null when this is the first part. */
  readonly firstUrl: string | null
  readonly nextUrl: string | null
}

export interface SaidPage {
  readonly title: string
  readonly path: string
  /** Its history; null for a page that has no address. */
  readonly url: string | null
  readonly sentence: string
  /** The newest first. */
  readonly times: readonly SaidStretch[]
}

/** A stretch of time in which a page said it; null where the change is not known. */
export interface SaidStretch {
  readonly appeared: SaidTime | null
  readonly vanished: SaidTime | null
  readonly stands: boolean
}

export interface SaidTime {
  readonly at: string
  readonly author: Person | null
  /** The page as it was then. */
  readonly url: string | null
}
