import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs'
import { basename, delimiter, join } from 'node:path'
import { type Account, findBarrier } from './account.ts'
import { removeFolder, SHARED_FOLDER } from './place.ts'

type Links = { source: string; target: string }[]

/**
 * The npm package of PostgreSQL where `account` can reach it, with every library under the names it is asked for by.
 *
 * npm keeps no symbolic links, and the package's install script that makes them may not have run. Then they are made in
 * `cacheFolder`, or, when the package lies where the account cannot go, in a copy of it under SHARED_FOLDER.
 */
export function reachablePackage(
  folder: string,
  account: Account | null,
  cacheFolder: string,
): { folder: string; libraryPath: string | null } {
  const links = JSON.parse(readFileSync(join(folder, 'native/pg-symlinks.json'), 'utf8')) as Links
  if (findBarrier(folder, account) !== null) {
    return { folder: copyOf(folder, links), libraryPath: null }
  }
  if (links.every(({ target }) => existsSync(join(folder, target)))) {
    return { folder, libraryPath: null }
  }
  const linkFolder = join(cacheFolder, `lib-${versionOf(folder)}`)
  if (!links.every(({ target }) => existsSync(join(linkFolder, basename(target))))) {
    makeAside(linkFolder, aside => {
      mkdirSync(aside, { mode: 0o755 })
      for (const { source, target } of links) {
        symlinkSync(join(folder, source), join(aside, basename(target)))
      }
    })
  }
  return { folder, libraryPath: [linkFolder, join(folder, 'native/lib')].join(delimiter) }
}

function copyOf(folder: string, links: Links): string {
  const copy = join(SHARED_FOLDER, `postgresql-${versionOf(folder)}`)
  if (existsSync(copy)) return copy
  mkdirSync(SHARED_FOLDER, { recursive: true, mode: 0o755 })
  makeAside(copy, aside => {
    cpSync(folder, aside, { recursive: true, verbatimSymlinks: true })
    for (const { source, target } of links) {
      if (!existsSync(join(aside, target))) {
        symlinkSync(basename(source), join(aside, target))
      }
    }
  })
  return copy
}

/** Fills a folder beside and puts it in place whole: another process may do the same, or be killed at it. */
function makeAside(folder: string, fill: (aside: string) => void): void {
  const aside = `${folder}.${process.pid}`
  removeFolder(aside)
  fill(aside)
  removeFolder(folder)
  try {
    renameSync(aside, folder)
  } catch (thrown) {
    removeFolder(aside)
    if (!existsSync(folder)) throw thrown
  }
}

function versionOf(folder: string): string {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return String(version)
}
