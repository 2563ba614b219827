import { createHash } from 'node:crypto'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError } from '../../file-error.ts'
import {
  CATALOG,
  CATALOG_PARTIAL,
  type CatalogHead,
  type CatalogTail,
  type FileEntry,
  type Run,
} from './format.ts'
import type { Target } from './target.ts'

const HELD_MAX = 256 * 1024

/** The first lines of a catalog, up to the files. */
export function catalogHeadText(head: CatalogHead): string {
  return `{\n${membersOf(head)},\n"files":[\n`
}

/** Members of an object, one to a line. */
function membersOf(object: object): string {
  const lines = Object.entries(object).map(([key, value]) => `"${key}":${JSON.stringify(value)}`)
  return lines.join(',\n')
}

/** The catalog as it grows: under another name until it is whole and on disk. */
export class CatalogWriter {
  readonly #file: FileHandle
  readonly #target: Target
  readonly #hash = createHash('sha256')
  #held: string
  #isFirst = true

  private constructor(file: FileHandle, target: Target, head: CatalogHead) {
    this.#file = file
    this.#target = target
    this.#held = catalogHeadText(head)
  }

  /** Begins a catalog; one that was begun before is begun anew. */
  static async begin(target: Target, head: CatalogHead): Promise<CatalogWriter> {
    const path = join(target.partial, CATALOG_PARTIAL)
    const file = await open(path, 'w', 0o600).catch(thrown => {
      throw fileError(thrown, path)
    })
    const writer = new CatalogWriter(file, target, head)
    try {
      await writer.#flush()
      await file.sync()
      return writer
    } catch (thrown) {
      await file.close()
      throw fileError(thrown, path)
    }
  }

  async add(entry: FileEntry): Promise<void> {
    this.#held += `${this.#isFirst ? '' : ',\n'}${JSON.stringify(entry)}`
    this.#isFirst = false
    if (this.#held.length > HELD_MAX) await this.#flush()
  }

  async end(tail: CatalogTail, run: Omit<Run, 'checksum'>): Promise<void> {
    this.#held += `\n],\n${membersOf(tail)},\n"run":${JSON.stringify(run).slice(0, -1)},"checksum":"`
    await this.#flush()
    const checksum = this.#hash.digest('hex')
    const { partial } = this.#target
    try {
      await this.#file.writeFile(`${checksum}"}\n}\n`)
      await this.#file.sync()
      await this.#file.close()
      await rename(join(partial, CATALOG_PARTIAL), join(partial, CATALOG))
    } catch (thrown) {
      throw fileError(thrown, join(partial, CATALOG))
    }
  }

  /** Ends the use of the file, also when it was not ended well. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => {})
  }

  async #flush(): Promise<void> {
    this.#hash.update(this.#held)
    try {
      await this.#file.writeFile(this.#held)
    } catch (thrown) {
      throw fileError(thrown, join(this.#target.partial, CATALOG_PARTIAL))
    }
    this.#held = ''
  }
}
