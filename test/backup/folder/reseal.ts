import { createHash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Changes the text of a file of a backup. */
export function edit(dir: string, name: string, change: (text: string) => string): void {
  const path = join(dir, name)
  const text = readFileSync(path, 'latin1')
  const changed = change(text)
  if (changed === text) throw new Error(`${name} is not changed`)
  writeFileSync(path, changed, 'latin1')
}

/** Makes the catalog say what the files are now, as whoever has an editor and time may do. */
export function reseal(dir: string, change: (catalog: string) => string = text => text): void {
  const path = join(dir, 'catalog.json')
  const text = change(readFileSync(path, 'utf8')).replace(
    /"sizeBytes":\d+,"sha256":"[0-9a-f]{64}"/g,
    (said, at: number, whole: string) => {
      const line = whole.slice(whole.lastIndexOf('\n', at) + 1, at)
      const [, name = ''] = /"name":"([^"]*)"/.exec(line) ?? []
      // a name that was made up may be one that no file can have
      if (!isFile(join(dir, name))) return said
      const bytes = readFileSync(join(dir, name))
      return `"sizeBytes":${bytes.length},"sha256":"${createHash('sha256').update(bytes).digest('hex')}"`
    },
  )
  writeFileSync(path, sealed(text))
}

function isFile(path: string): boolean {
  return !path.includes('\0') && (statSync(path, { throwIfNoEntry: false })?.isFile() ?? false)
}

/** A catalog with the check sum that its text has. */
export function sealed(text: string): string {
  const mark = '"checksum":"'
  const at = text.lastIndexOf(mark)
  if (at < 0) return text
  const before = text.slice(0, at + mark.length)
  const sum = createHash('sha256').update(before).digest('hex')
  return `${before}${sum}${text.slice(before.length + 64)}`
}
