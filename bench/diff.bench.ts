import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT_VIEWER } from '../src/access/viewer.ts'
import { type Author, change, type Site } from '../src/commands/change.ts'
import { decidePage } from '../src/content/decide-page.ts'
import type { Document } from '../src/content/document.ts'
import { openSite } from '../src/open-site.ts'
import { readBlame } from '../src/queries/blame.ts'
import { changesBetween, patchBetween, readSides } from '../src/queries/compare.ts'
import { type Bench, load } from './harness.ts'

/**
 * Questions: what does it cost to compare any two of 500 revisions of a 15 KB text, and to tell who wrote each word of it, against
 * `git blame` of the same history?
 */
const REVISIONS = 500
const LINES = 230
const BATCH = 100
const FOR_MS = 4_000
const GIT_RUNS = 10
const PATH = 'wh.long'
const AUTHOR: Author = { viewer: ROOT_VIEWER, door: 'api' }

export default async function diffBench(bench: Bench): Promise<void> {
  const { site, close } = await openSite({ url: bench.url, site: 'bench' })
  try {
    const texts = textsOf()
    await writePage(site, texts)
    const sidesOf = (turn: number) =>
      readSides(site, ROOT_VIEWER, PATH, {
        from: String(1 + ((turn * 7919) % REVISIONS)),
        to: String(1 + ((turn * 104_729) % REVISIONS)),
      })
    const patched = await load(1, FOR_MS, async (_, turn) => {
      JSON.stringify(patchBetween(await sidesOf(turn)))
    })
    const told = await load(1, FOR_MS, async (_, turn) => {
      JSON.stringify(changesBetween(await sidesOf(turn)))
    })
    const blamed = await load(1, FOR_MS, async () => {
      JSON.stringify(await readBlame(site, ROOT_VIEWER, PATH, null))
    })
    for (const [form, { p50 }] of [
      ['patch', patched],
      ['readable', told],
    ] as const) {
      bench.report({
        case: `any two of ${REVISIONS} revisions of 15 KB, ${form}, p50`,
        value: p50,
        unit: 'ms',
        must: '<= 10',
      })
    }
    const git = gitBlameMs(texts)
    bench.report({ case: 'blame of them, p50', value: blamed.p50, unit: 'ms', must: '<= 100' })
    bench.say(
      `p99: patch ${patched.p99.toFixed(1)} ms, readable ${told.p99.toFixed(1)} ms, blame ${blamed.p99.toFixed(1)} ms`,
    )
    bench.say(git === null ? 'there is no git here' : `git blame takes ${git.toFixed(0)} ms`)
  } finally {
    await close()
  }
}

/** The text after each edit: mostly a word of a line, now and then a line more, one less, or one elsewhere. */
function textsOf(): string[] {
  let lines = Array.from(
    { length: LINES },
    (_, n) => `Line ${n} of a page about sixty-five characters wide, more or less.`,
  )
  return Array.from({ length: REVISIONS }, (_, edit) => {
    const at = (edit * 37) % lines.length
    const line = lines[at] ?? ''
    if (edit % 10 === 7) lines = lines.toSpliced(at, 0, `A line that edit ${edit} has put in here.`)
    else if (edit % 10 === 8) lines = lines.toSpliced(at, 1)
    else if (edit % 10 === 9) lines = lines.toSpliced(at, 1).toSpliced((at + 40) % 200, 0, line)
    else lines = lines.with(at, line.replace(/\w+\.$/, `by edit ${edit}.`))
    return `${lines.join('\n')}\n`
  })
}

async function writePage(site: Site, texts: readonly string[]): Promise<void> {
  const id = site.newId()
  for (let from = 0; from < texts.length; from += BATCH) {
    await change(site, AUTHOR, async it => {
      for (const text of texts.slice(from, from + BATCH)) {
        const entity = await it.entity(id)
        const document = documentOf(text)
        it.record(
          entity === null
            ? decidePage(null, { type: 'CreatePage', id, path: PATH, document })
            : decidePage(entity, { type: 'RevisePage', document, base: entity.revision }),
        )
      }
    })
  }
}

function documentOf(source: string): Document {
  return {
    proto: 'blog',
    hidden: false,
    summary: { title: 'A long page', abstract: '' },
    data: { posting: { format: 'markdown', source } },
    tags: {},
  }
}

/** What `git blame` takes for the same history, process and all, the median of some runs; null without git. */
function gitBlameMs(texts: readonly string[]): number | null {
  const folder = mkdtempSync(join(tmpdir(), 'rm3-blame-'))
  const git = (args: readonly string[], input = '') =>
    execFileSync('git', ['-C', folder, ...args], { input, maxBuffer: 1 << 26 })
  try {
    git(['init', '-q', '-b', 'main'])
    git(['fast-import', '--quiet'], texts.map(commitOf).join(''))
    git(['gc', '-q'])
    const times = Array.from({ length: GIT_RUNS }, () => {
      const start = performance.now()
      git(['blame', '--porcelain', 'main', '--', 'page.md'])
      return performance.now() - start
    })
    return times.sort((a, b) => a - b)[GIT_RUNS / 2] ?? null
  } catch (thrown) {
    if ((thrown as { code?: string }).code === 'ENOENT') return null
    throw thrown
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function commitOf(text: string, index: number): string {
  const who = `committer Someone <someone@example.org> ${1_600_000_000 + index * 60} +0000`
  const bytes = Buffer.byteLength(text)
  return `commit refs/heads/main\n${who}\ndata 4\nedit\nM 100644 inline page.md\ndata ${bytes}\n${text}\n`
}
