import pg from 'pg'
import { ROOT_VIEWER } from '../src/access/viewer.ts'
import { type Author, change, type Site } from '../src/commands/change.ts'
import { decidePage } from '../src/content/decide-page.ts'
import { openSite } from '../src/open-site.ts'
import { type Bench, load, type Run } from './harness.ts'

/**
 * Question: what does a save cost at the log, with its hash, its patch and all inline projections, against the cheapest
 * durable thing there is: one prepared INSERT of the same document, each its own transaction?
 */
const FOR_MS = 4_000
const CASES: { writers: number; must: number }[] = [
  { writers: 1, must: 0.4 },
  { writers: 16, must: 0.5 },
  { writers: 64, must: 1 },
  { writers: 128, must: 1 },
]
const CONNECTIONS_MAX = 32
const AUTHOR: Author = { viewer: ROOT_VIEWER, door: 'api' }

export default async function append(bench: Bench): Promise<void> {
  const { site, close } = await openSite({ url: bench.url, site: 'bench' })
  const raw = new pg.Pool({ connectionString: bench.url, max: CONNECTIONS_MAX })
  try {
    await raw.query(
      'create table raw_insert (id bigserial primary key, at timestamptz not null, document json not null)',
    )
    for (const { writers, must } of CASES) {
      const limit = await inserts(raw, writers)
      const saved = await saves(site, writers)
      bench.report({
        case: `${writers} writers`,
        value: saved.perSecond,
        unit: 'saves/s',
        limit: limit.perSecond,
        limitName: 'single-row INSERTs/s',
        must: `>= ${must}`,
      })
      bench.say(
        `${writers} writers: p50 ${saved.p50.toFixed(1)} ms, p99 ${saved.p99.toFixed(1)} ms`,
      )
      if (writers === 128) {
        bench.report({
          case: '128 writers, p99',
          value: saved.p99,
          unit: 'ms',
          limit: saved.p50,
          limitName: 'p50',
          must: '<= 3',
        })
      }
    }
  } finally {
    await raw.end()
    await close()
  }
}

function inserts(pool: pg.Pool, writers: number): Promise<Run> {
  return load(writers, FOR_MS, async (writer, turn) => {
    await pool.query({
      name: 'raw',
      text: 'insert into raw_insert (at, document) values (now(), $1::json)',
      values: [JSON.stringify(documentOf(writer, turn))],
    })
  })
}

async function saves(site: Site, writers: number): Promise<Run> {
  const ids = await Promise.all(
    Array.from({ length: writers }, (_, writer) => newPage(site, writer)),
  )
  return load(writers, FOR_MS, async (writer, turn) => {
    const id = ids[writer] as string
    await change(site, AUTHOR, async it => {
      const entity = await it.entity(id)
      const base = entity?.revision ?? 0
      it.record(
        decidePage(entity, { type: 'RevisePage', document: documentOf(writer, turn), base }),
      )
    })
  })
}

async function newPage(site: Site, writer: number): Promise<string> {
  const id = site.newId()
  const path = `wh.p${id.replaceAll('-', '_')}`
  await change(site, AUTHOR, async it => {
    const entity = await it.entity(id)
    it.record(
      decidePage(entity, { type: 'CreatePage', id, path, document: documentOf(writer, -1) }),
    )
  })
  return id
}

const LINE = 'The quick brown fox jumps over the lazy dog and writes a line of text about it.\n'

/** 1.5 KB of JSON in which every turn changes one line. */
function documentOf(writer: number, turn: number) {
  const source = `${LINE.repeat(8)}This is turn ${turn} of writer ${writer}.\n${LINE.repeat(8)}`
  return {
    proto: 'base',
    hidden: false,
    summary: { title: `Page ${writer}`, abstract: 'A page that is saved often.' },
    data: { posting: { format: 'markdown', source } },
    tags: {},
  }
}
