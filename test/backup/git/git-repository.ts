import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A repository of its own, for a test to fill. */
export interface TestRepository {
  readonly folder: string
  git(...args: string[]): string
  /** Writes files; null removes one. */
  write(files: Readonly<Record<string, string | Buffer | null>>): void
  /** Writes files and commits all of them; a day passes with each. */
  commit(files: Readonly<Record<string, string | Buffer | null>>, options?: CommitOptions): string
  close(): void
}

export interface CommitOptions {
  readonly message?: string
  readonly author?: string
  readonly date?: string
}

const DAY_S = 86_400
const FIRST_S = Date.parse('2020-01-01T00:00:00Z') / 1000

/** A new repository on branch `main`. Close it in an `after` hook. */
export function testRepository(): TestRepository {
  const folder = mkdtempSync(join(tmpdir(), 'rm3-test-git-'))
  let days = 0
  const run = (args: string[], env: Record<string, string> = {}) =>
    execFileSync('git', ['-C', folder, '-c', 'commit.gpgsign=false', ...args], {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: folder,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_COMMITTER_NAME: 'Carla',
        GIT_COMMITTER_EMAIL: 'carla@example.org',
        GIT_COMMITTER_DATE: `${FIRST_S + days * DAY_S} +0000`,
        GIT_AUTHOR_NAME: 'Ann',
        GIT_AUTHOR_EMAIL: 'ann@example.org',
        GIT_AUTHOR_DATE: `${FIRST_S + days * DAY_S} +0000`,
        ...env,
      },
    }).trim()
  const write: TestRepository['write'] = files => {
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name)
      mkdirSync(dirname(path), { recursive: true })
      if (content === null) rmSync(path)
      else writeFileSync(path, content)
    }
  }
  run(['init', '-q', '-b', 'main'])
  return {
    folder,
    git: (...args) => run(args),
    write,
    commit: (files, { message = 'change', author, date } = {}) => {
      write(files)
      run(['add', '-A'])
      days++
      const who = author === undefined ? {} : authorOf(author)
      const when = date === undefined ? {} : { GIT_AUTHOR_DATE: date }
      run(['commit', '-q', '--allow-empty', '-m', message], { ...who, ...when })
      return run(['rev-parse', 'HEAD'])
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** @param text `Bob <bob@example.org>` */
function authorOf(text: string): Record<string, string> {
  const [, name = '', email = ''] = /^(.*) <(.*)>$/.exec(text) ?? []
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email }
}
