import { spawn } from 'node:child_process'
import { join } from 'node:path'
import fastify from 'fastify'
import pg from 'pg'
import { ROOT_VIEWER } from '../../src/access/viewer.ts'
import { addUser, createToken } from '../../src/commands/accounts.ts'
import { type Author, change, type Site } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { assignUser, permitRole } from '../../src/commands/rights.ts'
import type { Document } from '../../src/content/document.ts'
import { buildServer } from '../../src/http/server.ts'
import { openSite } from '../../src/open-site.ts'
import type { Bench } from '../harness.ts'
import type { Job, Result } from './http-load.ts'

export const CONNECTIONS = 16
const FOR_MS = 5_000
const AUTHOR: Author = { viewer: ROOT_VIEWER, door: 'cli' }

/** A site that listens, and beside it the bare routes it is held against. */
export interface HttpSite {
  readonly site: Site
  readonly url: string
  readonly bareUrl: string
  /** Bearer token of a user who may edit everything. */
  readonly token: string
  load(job: Partial<Job> & { urls: string[] }): Promise<Result>
  /** What autovacuum and the checkpointer do within minutes of a mass of writes, done now so that it does not run beside the measurement. */
  settle(): Promise<void>
  close(): Promise<void>
}

/** Opens a site in which everyone may view and look at history. */
export async function httpSite(bench: Bench): Promise<HttpSite> {
  const { site, wakeups, close } = await openSite({ url: bench.url, site: 'bench' })
  const token = await setUp(site)
  const server = buildServer({ site, wakeups })
  const bare = await bareServer(bench.url)
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  return {
    site,
    url,
    bareUrl: bare.url,
    token,
    load: job =>
      loadFromOutside({
        connections: CONNECTIONS,
        forMs: FOR_MS,
        method: 'GET',
        headers: {},
        ...job,
      }),
    settle: () => settle(bench.url),
    close: async () => {
      await server.close()
      await bare.close()
      await close()
    },
  }
}

async function settle(url: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query('vacuum (analyze)')
  await client.query('checkpoint')
  await client.end()
}

async function setUp(site: Site): Promise<string> {
  const { result: user } = await change(site, AUTHOR, async it => {
    const user = await addUser(it, { login: 'bench', fullName: 'Bench' })
    for (const permission of ['view', 'history'])
      await permitRole(it, { role: 'nobody', permission, pattern: '*' })
    for (const permission of ['post.edit', 'post.delete'])
      await permitRole(it, { role: 'editor', permission, pattern: '*' })
    await assignUser(it, user.id, 'editor')
    return user
  })
  const { token } = await createToken(site, AUTHOR, { userId: user.id })
  return token
}

const ROWS = 1_000

/** One prepared SELECT of a page of the same size by its path, and one prepared INSERT. */
async function bareServer(url: string): Promise<{ url: string; close: () => Promise<void> }> {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS })
  await pool.query('create table bare (path text primary key, document json not null)')
  await pool.query(
    'create table bare_saves (id bigserial primary key, at timestamptz not null, document json not null)',
  )
  await pool.query(
    `insert into bare select 'wh.p' || n, $1::json from generate_series(0, ${ROWS - 1}) n`,
    [JSON.stringify(documentOf(0))],
  )
  const app = fastify()
  app.addContentTypeParser(
    'application/merge-patch+json',
    { parseAs: 'string' },
    app.getDefaultJsonParser('error', 'error'),
  )
  app.get('/read/:path', async (request, reply) => {
    const values = [(request.params as { path: string }).path]
    const { rows } = await pool.query({
      name: 'read',
      text: 'select document::text as text from bare where path = $1',
      values,
    })
    return reply.type('application/json').send(rows[0]?.text)
  })
  app.patch('/save', async (request, reply) => {
    const values = [JSON.stringify(request.body)]
    await pool.query({
      name: 'save',
      text: 'insert into bare_saves (at, document) values (now(), $1::json)',
      values,
    })
    return reply.send({ ok: true })
  })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    url: address,
    close: async () => {
      await app.close()
      await pool.end()
    },
  }
}

/** URLs of the bare SELECT. */
export function bareReads(bareUrl: string): string[] {
  return Array.from({ length: ROWS }, (_, n) => `${bareUrl}/read/wh.p${n}`)
}

function loadFromOutside(job: Job): Promise<Result> {
  const script = join(import.meta.dirname, 'http-load.js')
  const child = spawn(process.execPath, [script, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', chunk => {
      text += chunk
    })
    child.on('error', reject)
    child.on('close', code => {
      if (code === 0) resolve(JSON.parse(text) as Result)
      else reject(new Error(`the load ended with ${code}`))
    })
  })
}

const LINE = 'The quick brown fox jumps over the lazy dog and writes a line of text about it.\n'

/** A page of about 1.5 KB. */
export function documentOf(n: number): Document {
  return {
    proto: 'base',
    hidden: false,
    summary: { title: `Page ${n}`, abstract: 'A page of a site with many.' },
    data: { posting: { format: 'markdown', source: LINE.repeat(17) } },
    tags: {},
  }
}

const BATCH = 200

/** Makes pages `wh.s<n>.p<m>`, a thousand to a section, and the sections themselves. */
export async function fillSite(site: Site, pages: number): Promise<void> {
  const paths = Array.from({ length: pages }, (_, n) =>
    n % 1000 === 0 ? `wh.s${n / 1000}` : `wh.s${Math.floor(n / 1000)}.p${n % 1000}`,
  )
  for (let from = 0; from < paths.length; from += BATCH) {
    await change(site, AUTHOR, async it => {
      for (const [index, path] of paths.slice(from, from + BATCH).entries()) {
        await createPage(it, { path, document: documentOf(from + index) })
      }
    })
  }
}
