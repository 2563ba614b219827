import { createReadStream } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError } from '../../file-error.ts'

/** A history is held in memory up to here; most have some kilobytes. */
const HELD_CHARS_MAX = 8 * 1024 * 1024
const NAME = 'history.partial'

/** Lines that are written after something that is known only when all of them are: a long one waits on disk. */
export class Spool {
  readonly #path: string
  #lines: string[] = []
  #chars = 0
  #file: FileHandle | null = null
  #isSpilled = false

  constructor(folder: string) {
    this.#path = join(folder, NAME)
  }

  async add(line: string): Promise<void> {
    this.#lines.push(line)
    this.#chars += line.length
    if (this.#chars > HELD_CHARS_MAX) await this.#spill()
  }

  /** Whether some of it waits on disk. */
  get isLong(): boolean {
    return this.#file !== null
  }

  /** All lines, of a history that is not long. */
  text(): string {
    return this.#lines.join(',\n')
  }

  /** All lines between two texts, piece by piece. */
  async *pieces(before: string, after: string): AsyncIterable<Uint8Array> {
    yield Buffer.from(before)
    await this.#file?.close()
    this.#file = null
    yield* createReadStream(this.#path)
    yield Buffer.from(`${this.#lines.length > 0 ? ',\n' : ''}${this.text()}${after}`)
  }

  /** Takes away what waits on disk. */
  async drop(): Promise<void> {
    if (!this.#isSpilled) return
    await this.#file?.close()
    await rm(this.#path, { force: true })
  }

  async #spill(): Promise<void> {
    const isFirst = this.#file === null
    this.#isSpilled = true
    try {
      this.#file ??= await open(this.#path, 'w', 0o600)
      await this.#file.writeFile(`${isFirst ? '' : ',\n'}${this.text()}`)
    } catch (thrown) {
      throw fileError(thrown, this.#path)
    }
    this.#lines = []
    this.#chars = 0
  }
}
