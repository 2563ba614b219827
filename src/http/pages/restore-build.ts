import { readableDiff } from '../../codec/readable-diff.ts'
import { changeAndForget } from '../../commands/accounts.ts'
import type { Author } from '../../commands/change.ts'
import { restoreRevision } from '../../commands/pages.ts'
import { previewRestore, previewUndelete } from '../../commands/previews.ts'
import { rehearse } from '../../commands/rehearse.ts'
import { undelete } from '../../commands/undelete-below.ts'
import { documentOf } from '../../content/document.ts'
import { parsePath } from '../../content/path.ts'
import { isRm3Error, type Rm3Error } from '../../errors.ts'
import { noRevision } from '../../queries/read-past.ts'
import { findRevisionEntry } from '../../queries/revisions.ts'
import { getSubject } from '../../queries/subject.ts'
import { urlOfPath, withQuery } from '../../scheme/site-urls.ts'
import type { RestoreView } from '../../scheme/views-of-past.ts'
import { demandUnchanged } from '../page-writes.ts'
import { shownEntry } from './entries.ts'
import { readHeading } from './heading.ts'
import type { Pages, Scene } from './scene.ts'

/** What a form asks to have back. */
export interface Restoring {
  readonly path: string
  /** null: the page, which is deleted. */
  readonly revision: number | null
  readonly field: string | null
  readonly draft: boolean
  /** Where a deleted page goes; null: where it was. */
  readonly to: string | null
  readonly below: boolean
  readonly note: string
  /** The ETag of the page that was looked at; null: none was. */
  readonly seen: string | null
}

type Preview = Pick<RestoreView, 'what' | 'missing'> & {
  /** What is to be sent as `seen`; null: nothing. */
  readonly seen: string | null
  /** Why it cannot be as asked, where another place would do. */
  readonly problem: string | null
}

/** What stands on the page of the form. */
export type RestorePage = Preview & Pick<RestoreView, 'frame' | 'subject' | 'breadcrumb'>

/**
 * What it would come to.
 *
 * @throws as `previewRestore` and `previewUndelete`
 */
export async function previewOf(
  scene: Scene,
  author: Author,
  asked: Restoring,
): Promise<RestorePage> {
  const { subject } = await getSubject(scene.pages.site, scene.viewer, scene.path)
  const { live, ...around } = await readHeading(scene, subject, null)
  const { revision } = asked
  const preview =
    revision === null
      ? await pagesPreview(scene, author, asked)
      : await revisionPreview(scene, author, { ...asked, revision }, { id: subject.id, live })
  return { ...around, ...preview }
}

async function revisionPreview(
  scene: Scene,
  author: Author,
  asked: Restoring & { readonly revision: number },
  { id, live }: { id: string; live: number | null },
): Promise<Preview> {
  const { site } = scene.pages
  const { path, revision, field, draft } = asked
  const entry = await findRevisionEntry(site, scene.viewer, id, revision)
  if (entry === null) throw noRevision(path, revision)
  const { result } = await rehearse(site, author, it => previewRestore(it, path, optionsOf(asked)))
  const { page, document, missing } = result
  const now = documentOf(page.live?.document ?? page.tip)
  return {
    ...{ missing, seen: page.sinceId, problem: null },
    what: {
      type: 'revision',
      entry: shownEntry(scene, entry, { live, previous: null }),
      ...{ field, draft, changes: readableDiff(now, document) },
    },
  }
}

async function pagesPreview({ pages }: Scene, author: Author, asked: Restoring): Promise<Preview> {
  const { path, to, below } = asked
  const what = { type: 'pages', to: to ?? path, below } as const
  try {
    // all that might come back is shown, whether or not it is asked for
    const { result } = await rehearse(pages.site, author, it =>
      previewUndelete(it, path, { ...placeOf(asked), below: true, after: 0 }),
    )
    const { pages: returned, left, missing } = result
    return { missing, seen: null, problem: null, what: { ...what, pages: returned, left } }
  } catch (thrown) {
    if (!isOfPlace(thrown)) throw thrown
    return {
      missing: [],
      seen: null,
      problem: thrown.message,
      what: { ...what, pages: [], left: [] },
    }
  }
}

/** Whether another place would do. */
export function isOfPlace(thrown: unknown): thrown is Rm3Error {
  return isRm3Error(thrown, 'PATH_TAKEN') || isRm3Error(thrown, 'PATH_INVALID')
}

/**
 * Does it.
 *
 * @returns where to look at what came back
 * @throws IF_MATCH_STALE when the page is not as it was looked at; as `previewOf`
 */
export async function bringBack(
  { site }: Pages,
  author: Author,
  asked: Restoring,
): Promise<string> {
  const { path, revision, seen, below } = asked
  if (revision === null) {
    const { result } = await changeAndForget(site, author, it =>
      undelete(it, path, { ...placeOf(asked), below, after: 0 }),
    )
    return urlOfPath(result.top.path)
  }
  const { result } = await changeAndForget(site, author, async it => {
    await demandUnchanged(it, path, seen)
    return restoreRevision(it, path, optionsOf({ ...asked, revision }))
  })
  const url = urlOfPath(result.path)
  return asked.draft ? withQuery(url, `revision=${result.tipRevision}`) : url
}

function optionsOf({ revision, field, draft }: Restoring & { readonly revision: number }) {
  return { revision, draft, ...(field !== null && { fields: [field] }) }
}

function placeOf({ path, to }: Restoring): { to?: string } {
  return to === null || to === path ? {} : { to: parsePath(to) }
}
