import { listBlobsElsewhere } from '../../projections/blobs.ts'
import { openBlobStore } from '../blobs/store.ts'
import type { Json } from '../codec/json.ts'
import {
  type ErasureDone,
  type ErasureRequest,
  erase,
  findErasable,
  previewErasure,
} from '../commands/erase.ts'
import type { Config } from '../config.ts'
import { ROOT } from '../content/events.ts'
import type { ErasurePlan, Wanted } from '../content/plan-erasure.ts'
import { Rm3Error } from '../errors.ts'
import { eraserOf } from '../open-eraser.ts'
import type { Db } from '../pg/db.ts'
import { counted, sizeInWords } from '../scheme/words.ts'
import type { Call, Outcome } from './command.ts'
import { withDatabase, withOpenSite } from './open.ts'
import { confirm } from './stdin.ts'

/** `rm3rm -E`: erases what a page ever was, or what one revision said. @throws PAGE_NOT_FOUND, REVISION_NOT_FOUND, ERASURE_REFUSED, USAGE */
export function erasePage(call: Call): Promise<Outcome> {
  const target = call.argument('PATH')
  const wanted = wantedOf(call)
  return withDatabase(call, (database, config) =>
    withOpenSite(call, database, config, async open => {
      const { db } = open.site
      const entityId = await findErasable(db, target)
      const request: ErasureRequest = {
        ...{ entityId, wanted, actor: ROOT, door: 'cli', keepsShown: true },
        reason: call.option('reason'),
      }
      const plan = await previewErasure(db, request)
      if (plan === null) return nothingLeft(target, entityId)
      const preview = await previewOf(db, plan, wanted)
      if (call.flag('dry-run')) return { text: preview.text, data: preview.data }
      await demandConsent(call, target, preview.text)
      const stores = await storesOf(config)
      const done = await erase(
        eraserOf(open, { url: database.url, site: config.site }, stores),
        request,
      )
      return done === null ? nothingLeft(target, entityId) : outcomeOf(done, preview.data)
    }),
  )
}

function wantedOf(call: Call): Wanted {
  const text = call.option('revision')
  if (text === null) return 'whole'
  if (/^[1-9]\d{0,8}$/.test(text)) return new Set([Number(text)])
  throw new Rm3Error('USAGE', `--revision takes the number of a revision, not "${text}"`)
}

function nothingLeft(target: string, entityId: string): Outcome {
  const text = `There is nothing left to erase of ${target}.`
  return { text, data: { entityId, position: null } }
}

interface Preview {
  readonly text: string
  readonly data: { readonly [key: string]: Json }
}

async function previewOf(db: Db, plan: ErasurePlan, wanted: Wanted): Promise<Preview> {
  const { before, after, bytes, blobs } = plan
  const { revisions, standIns } = plan.data
  const elsewhere = await listBlobsElsewhere(
    db,
    blobs.map(({ sha256 }) => sha256),
    {
      entityId: before.id,
      revisions,
    },
  )
  const going = blobs.filter(({ sha256 }) => !elsewhere.includes(sha256))
  const fileBytes = going.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const rewritten = standIns.filter(({ erased }) => erased === null).length
  const whole = wanted === 'whole'
  const what = whole
    ? `all that ${before.path} ever was`
    : `what revision ${[...wanted].join(', ')} of ${before.path} said`
  const lines = [
    `This erases ${what} (${before.id}), for ever:`,
    `  goes:  ${counted(revisions.length, 'event')} (${listed(revisions)}) with about ${sizeInWords(bytes)}: contents, notes and how they came in`,
    `         ${counted(going.length, 'file')} with ${sizeInWords(fileBytes)}${elsewhere.length > 0 ? `; ${elsewhere.length} more that others have too` : ''}`,
    ...(whole && before.path.startsWith('wh.users.')
      ? ['         roles, passwords, tokens and sessions']
      : []),
    `  stays: that there were these events, when and by whom, and where the page was`,
    `         ${after.state === 'deleted' ? `${after.path} is as deleted` : `all other revisions${rewritten > 0 ? ', of which some are kept whole from now on' : ''}`}`,
    `  Backups made before still have it: erasures are done again when one is loaded.`,
  ]
  const data = {
    ...{ entityId: before.id, path: before.path, whole, revisions: [...revisions], bytes },
    ...{ files: going.length, fileBytes, state: after.state },
  }
  return { text: lines.join('\n'), data }
}

const LISTED_MAX = 20

function listed(revisions: readonly number[]): string {
  const shown = revisions.slice(0, LISTED_MAX).join(', ')
  const more = revisions.length - LISTED_MAX
  return `${revisions.length === 1 ? 'revision' : 'revisions'} ${shown}${more > 0 ? ` and ${more} more` : ''}`
}

async function demandConsent(call: Call, target: string, preview: string): Promise<void> {
  if (call.flag('yes')) return
  call.say(preview)
  if (await confirm(call, `Erase it?`)) return
  throw new Rm3Error('USAGE', `${target} was not erased: say -Y, or y when asked on a terminal`)
}

async function storesOf(config: Config) {
  return {
    public: await openBlobStore(config.publicBlobsFolder),
    private: await openBlobStore(config.privateBlobsFolder),
  }
}

function outcomeOf({ position }: ErasureDone, preview: Preview['data']): Outcome {
  const { path, revisions } = preview as { path: string; revisions: number[] }
  const text = `Erased ${listed(revisions)} of ${path} (position ${position}).`
  return { text, data: { ...preview, position } }
}
