import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { verifyFolder } from '../../../src/backup/folder/verify.ts'
import { isRm3Error } from '../../../src/errors.ts'
import { fileError } from '../../../src/file-error.ts'
import { readHead } from '../../../src/log/read.ts'
import { openSite } from '../../../src/open-site.ts'
import { discoverProjections } from '../../../src/projector/discover.ts'
import { verifyProjections } from '../../../src/projector/verify.ts'
import { assert, rejection, suite } from '../../harness.ts'
import { TEST_SITE, testDatabase } from '../../support/database.ts'
import { type FolderSite, folderSite, someEvents } from '../folder/folder-site.ts'
import { type Fault, type Faulted, withFault } from './faults.ts'
import { type Place, SUBJECTS, type Subject } from './subjects.ts'

/** Places that are tried of each subject and fault, evenly spread; RM3_TEST_CRASHES=10000 tries all. */
const PLACES = Number(process.env['RM3_TEST_CRASHES'] ?? 1)
const DEADLINE_MS = 120_000 + PLACES * 60_000
const WRITERS: readonly Subject[] = [
  'a backup into a folder',
  'a backup into an archive',
  'a backup as a git repository',
  'a scheduled backup into a folder',
  'a scheduled backup into an archive',
]
const READERS: readonly Subject[] = ['the proof of a folder', 'the proof of an archive']
const LOADERS: readonly Subject[] = [
  'a load of a folder',
  'a load of an archive',
  'a load of a git repository',
]
const FAULTS: readonly Fault[] = ['EIO', 'ENOSPC', 'lost', 'kill']

let open: FolderSite
let runs = 0
const counted = new Map<Subject, Faulted['places']>()

suite('whatever breaks off a backup, a proof or a load', test => {
  test.before(async () => {
    open = await folderSite()
    await open.fill(someEvents(80, 5))
    const place = { from: open.url, to: '', folder: open.folder }
    await SUBJECTS['a backup into a folder']({ ...place, name: 'whole' })
    await SUBJECTS['a backup into an archive']({ ...place, name: 'whole.rm3' })
    await SUBJECTS['a backup as a git repository']({ ...place, name: 'whole-git' })
  }, DEADLINE_MS)
  test.after(() => open.close())

  for (const fault of FAULTS) {
    for (const subject of WRITERS) {
      test(
        `${fault}: ${subject} is there whole or not at all, and again it succeeds`,
        () => sweep(subject, fault, demandWritten),
        DEADLINE_MS,
      )
    }
    for (const subject of LOADERS) {
      test(
        `${fault}: ${subject} leaves an empty site or a whole one, and again it succeeds`,
        () => sweep(subject, fault, demandLoaded),
        DEADLINE_MS,
      )
    }
  }
  for (const subject of READERS) {
    test(
      `EIO: ${subject} says that it cannot be read`,
      () => sweep(subject, 'EIO', async () => {}),
      DEADLINE_MS,
    )
  }
})

/** Breaks a subject off at places of it, and looks at what is left each time. */
async function sweep(
  subject: Subject,
  fault: Fault,
  demand: (subject: Subject, place: Place) => Promise<void>,
): Promise<void> {
  const places = await placesOf(subject, fault)
  assert.ok(places > 0, 'nothing to break off')
  const stride = Math.max(1, places / PLACES)
  for (let at = stride / 2; at < places + 1; at += stride) {
    await inPlace(subject, async place => {
      const where = { fault, at: Math.max(1, Math.round(at)) }
      const { hit, error } = await (fault === 'kill' ? killed : broken)(subject, where, place)
      if (hit === null) return
      try {
        if (fault !== 'kill') demandClear(error, fault, place)
        await demand(subject, place)
      } catch (thrown) {
        const text = `${fault} at ${where.at} of ${places}: ${hit}: ${thrown}`
        throw new Error(text, { cause: thrown })
      }
    })
  }
}

/** How many places there are, found by a run in which nothing goes wrong. */
async function placesOf(subject: Subject, fault: Fault): Promise<number> {
  const known = counted.get(subject)
  if (known !== undefined) return known[fault]
  const run = await inPlace(subject, place => broken(subject, { fault, at: Infinity }, place))
  assert.is(run.error, null)
  counted.set(subject, run.places)
  return run.places[fault]
}

/** Somewhere to write to, and an empty site where one is loaded. */
async function inPlace<Result>(
  subject: Subject,
  use: (place: Place) => Promise<Result>,
): Promise<Result> {
  const name = `run-${runs++}`
  const to = LOADERS.includes(subject) ? await testDatabase() : null
  if (to !== null) {
    for (const store of ['public', 'private']) {
      mkdirSync(join(open.folder, name, store), { recursive: true })
    }
  }
  if (subject.startsWith('a scheduled')) {
    await SUBJECTS[subject]({ from: open.url, to: '', folder: open.folder, name })
  }
  try {
    return await use({ from: open.url, to: to?.url ?? '', folder: open.folder, name })
  } finally {
    await to?.drop()
  }
}

function broken(
  subject: Subject,
  where: { fault: Fault; at: number },
  place: Place,
): Promise<Faulted> {
  return withFault({ ...where, root: place.folder }, () => SUBJECTS[subject](place))
}

async function killed(
  subject: Subject,
  { at }: { at: number },
  place: Place,
): Promise<Pick<Faulted, 'hit' | 'error'>> {
  const child = fork(
    join(import.meta.dirname, 'crash-process.js'),
    [subject, String(at), JSON.stringify(place)],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  )
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  return { hit: signal === 'SIGKILL' ? 'killed' : null, error: null }
}

const CODES = { ENOSPC: 'DISK_FULL', lost: 'UNAVAILABLE' } as const

/** Something that a person can act on, as a command says it: never a bug's stack, and of files always which. */
function demandClear(thrown: unknown, fault: Exclude<Fault, 'kill'>, { folder }: Place): void {
  // what tidies up may fail: then all was done
  if (thrown === null) return
  const error = fileError(thrown)
  const stack = String((thrown as { stack?: unknown }).stack)
  if (!isRm3Error(error)) throw new Error(`not one of ours: ${stack}`)
  if (fault === 'EIO') {
    const isNamed = error.message.includes(folder) || /whole|\.json|-blob/.test(error.message)
    assert.ok(isNamed, `no file is named: ${error.message}: ${stack}`)
  } else assert.is(error.code, CODES[fault], stack)
}

async function demandWritten(subject: Subject, place: Place): Promise<void> {
  if (subject.startsWith('a scheduled')) return demandShelf(subject, place)
  const path = join(place.folder, place.name)
  const isNamed = existsSync(path)
  if (!isNamed) await SUBJECTS[subject](place)
  else assert.is(codeOf(await rejection(SUBJECTS[subject](place))), 'TARGET_EXISTS')
  await demandWhole(subject, path)
  // between a file's getting its name and its losing the other both are there
  const left = readdirSync(place.folder).filter(it => it.startsWith(`${place.name}.`))
  assert.equal(left, isNamed && subject.includes('archive') ? left : [])
}

async function demandWhole(subject: Subject, path: string): Promise<void> {
  if (subject.includes('folder')) assert.equal((await verifyFolder(path)).findings, [])
  if (subject.includes('git')) assert.ok(readdirSync(path).includes('.git'))
}

/** What was there before is still there, or what was made took its place; and what is there is whole. */
async function demandShelf(subject: Subject, place: Place): Promise<void> {
  const shelf = join(place.folder, place.name)
  const whole = () => readdirSync(shelf).filter(name => /Z(\.rm3)?$/.test(name))
  assert.ok(whole().length > 0)
  for (const name of whole()) await demandWhole(subject, join(shelf, name))

  await SUBJECTS[subject](place)

  for (const name of whole()) await demandWhole(subject, join(shelf, name))
}

async function demandLoaded(subject: Subject, place: Place): Promise<void> {
  const { position } = await headIn(place.to)
  const whole = await headIn(place.from)
  const isGit = subject.includes('git')
  if (!isGit) assert.ok(position === 0 || position === whole.position, `${position} events`)
  const again = await SUBJECTS[subject](place).then(
    () => 'loaded',
    thrown => codeOf(thrown),
  )
  assert.ok(again === 'loaded' || (again === 'SITE_NOT_EMPTY' && position > 0), String(again))
  const head = await headIn(place.to)
  assert.ok(head.position > 0)
  if (!isGit) assert.is(head.chain, whole.chain)
  const { findings } = await verifyProjections(
    { url: place.to, site: TEST_SITE },
    { projections: await discoverProjections(), threads: 0 },
  )
  assert.equal(findings, [])
}

async function headIn(url: string) {
  const { site, close } = await openSite({ url, site: TEST_SITE, allowUnsafe: true })
  try {
    return await readHead(site.db)
  } finally {
    await close()
  }
}

function codeOf(thrown: unknown): unknown {
  return (thrown as { code?: unknown }).code
}
