import { Rm3Error } from '../../errors.ts'
import type { Repository } from './repository.ts'
import type { RunningGit } from './run.ts'

/** Reads the bytes of git's objects, by one process for all of them (`git cat-file --batch`). One at a time. */
export class CatFile {
  readonly #git: RunningGit
  readonly #parts: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(repository: Repository) {
    this.#git = repository.start(['cat-file', '--batch'])
    this.#parts = this.#git.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  /**
   * The bytes of a blob.
   *
   * @returns null when it has more than `sizeBytesMax`: they are read past
   * @throws SOURCE_DAMAGED when it is not there
   */
  async read(id: string, sizeBytesMax: number): Promise<Buffer | null> {
    const { sizeBytes, bytes } = await this.open(id)
    const parts: Buffer[] = []
    for await (const part of bytes) if (sizeBytes <= sizeBytesMax) parts.push(part)
    return sizeBytes <= sizeBytesMax ? Buffer.concat(parts) : null
  }

  /** A blob's bytes part by part, all of which must be taken. @throws SOURCE_DAMAGED when it is not there */
  async open(id: string): Promise<{ sizeBytes: number; bytes: AsyncGenerator<Buffer> }> {
    this.#git.stdin.write(`${id}\n`)
    const sizeBytes = await this.#sizeOf(id)
    return { sizeBytes, bytes: this.#bytesOf(id, sizeBytes) }
  }

  /** Ends the process. */
  async close(): Promise<void> {
    this.#git.stdin.end()
    this.#git.stdout.destroy()
    await this.#git.ended.catch(() => {}) // it may complain that nobody listens any more
  }

  async *#bytesOf(id: string, sizeBytes: number): AsyncGenerator<Buffer> {
    let left = sizeBytes
    while (left > 0) {
      const part = await this.#take(left)
      left -= part.length
      yield part
    }
    const end = await this.#take(1)
    if (end[0] !== 0x0a) throw damaged(id, 'what git says of it cannot be understood')
  }

  async #sizeOf(id: string): Promise<number> {
    let line = ''
    for (;;) {
      const part = await this.#take(1)
      if (part[0] === 0x0a) break
      line += part.toString('latin1')
    }
    const [, type, size] = /^\S+ (\w+)(?: (\d+))?$/.exec(line) ?? []
    if (type !== 'blob' || size === undefined) throw damaged(id, `it is ${type ?? 'not there'}`)
    return Number(size)
  }

  /** At least one of the next bytes, at most `most`. */
  async #take(most: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#parts.next()
      if (done) {
        await this.#git.ended
        throw new Rm3Error('SOURCE_DAMAGED', 'git ended before it had given everything')
      }
      this.#rest = value
    }
    const part = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(part.length)
    return part
  }
}

function damaged(id: string, what: string): Rm3Error {
  return new Rm3Error('SOURCE_DAMAGED', `the object ${id} cannot be read: ${what}`, { id })
}
