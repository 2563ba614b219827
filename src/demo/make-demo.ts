import { Readable } from 'node:stream'
import { findAccountAtPath } from '../../projections/accounts.ts'
import { newPassword } from '../access/password.ts'
import { ROOT_VIEWER } from '../access/viewer.ts'
import { type BlobStore, putBlob } from '../blobs/store.ts'
import { recordPassword, userPath } from '../commands/accounts.ts'
import { type Author, change, type Site } from '../commands/change.ts'
import { inTransaction } from '../commands/in-transaction.ts'
import { pageAt } from '../commands/pages.ts'
import { ROOT } from '../content/events.ts'
import { isRm3Error } from '../errors.ts'
import { readHead } from '../log/read.ts'
import { type KeepBlob, SCENES, type Scene } from './scenes.ts'

/** How to log in to the demonstration site. */
export interface MadeDemo {
  readonly user: string
  /** To be shown once: only its hash is kept. */
  readonly password: string
}

const ADMIN = 'admin'
const DAY_MS = 86_400_000
/** Changes of one day are this far apart. */
const STEP_MS = 23 * 60_000

/**
 * Puts the demonstration site into an empty log, through commands, with a history over some past weeks: all of it or nothing.
 *
 * @param blobs where files are that anyone may see
 * @returns null when the log is not empty, also when another process was faster
 */
export async function makeDemo(site: Site, blobs: BlobStore): Promise<MadeDemo | null> {
  if ((await readHead(site.db)).position > 0) return null
  const password = newPassword()
  try {
    await inTransaction(site, async inside => {
      await play(inside, bytes => putBlob(blobs, Readable.from([bytes])))
      const at = site.now()
      await change(inside, { viewer: ROOT_VIEWER, door: 'cli', at }, async it =>
        recordPassword(it, await pageAt(it, userPath(ADMIN)), password),
      )
    })
    return { user: ADMIN, password }
  } catch (thrown) {
    const isLate = isRm3Error(thrown, 'LOG_BUSY') || isRm3Error(thrown, 'PATH_TAKEN')
    if (isLate && (await readHead(site.db)).position > 0) return null
    throw thrown
  }
}

async function play(site: Site, keep: KeepBlob): Promise<void> {
  const now = Date.parse(site.now())
  let last = 0
  for (const scene of SCENES) {
    const time = Math.max(now - scene.daysAgo * DAY_MS - oddMs(scene.daysAgo), last + STEP_MS)
    last = time
    await change(site, await authorOf(site, scene, new Date(time).toISOString()), it =>
      scene.play(it, keep),
    )
  }
}

/** Something below twelve hours that looks like no rule. */
function oddMs(daysAgo: number): number {
  return ((daysAgo * 7_919 + 4_243) % 43_200) * 1000
}

async function authorOf(site: Site, { who, note }: Scene, at: string): Promise<Author> {
  const account = who === ROOT ? null : await findAccountAtPath(site.db, userPath(who))
  return {
    viewer: ROOT_VIEWER,
    door: 'cli',
    note,
    ...{ at, recordedAt: at, actor: account?.id ?? ROOT },
    meta: { demonstration: true },
  }
}
