import type { Writable } from 'node:stream'
import { fileError } from '../../file-error.ts'
import { Encrypter } from '../age/stream.ts'
import type { Encryption } from '../age/wrap.ts'
import { type Frame, FrameChain, MAGIC, type PackedFrame, packFrame } from './frames.ts'

/** Frames that are being compressed at once. */
const PACKING_MAX = 4

/**
 * Where an archive goes: frames are compressed some at a time, given their checksums in order, encrypted where that is wanted, and written no
 * faster than the stream takes them.
 */
export class ArchiveOutput {
  /** Bytes written so far. */
  sizeBytes = 0
  readonly #out: Writable
  readonly #encrypter: Encrypter | null
  readonly #chain = new FrameChain()
  readonly #packing: Promise<PackedFrame>[] = []

  /** @param encryption null writes plain text */
  static async begin(out: Writable, encryption: Encryption | null): Promise<ArchiveOutput> {
    const output = new ArchiveOutput(
      out,
      encryption === null ? null : await Encrypter.begin(encryption),
    )
    await output.#write(output.#encrypter?.start)
    await output.#send(MAGIC)
    return output
  }

  private constructor(out: Writable, encrypter: Encrypter | null) {
    this.#out = out
    this.#encrypter = encrypter
    out.on('error', () => {}) // the write under way tells of it
  }

  async add(frame: Frame): Promise<void> {
    const packing = packFrame(frame)
    packing.catch(() => {}) // told when its turn comes
    this.#packing.push(packing)
    if (this.#packing.length >= PACKING_MAX) await this.#sendFirst()
  }

  /** Writes what is left. The stream itself stays open. */
  async end(): Promise<void> {
    while (this.#packing.length > 0) await this.#sendFirst()
    await this.#write(this.#encrypter?.end())
  }

  async #sendFirst(): Promise<void> {
    const packed = await this.#packing.shift()
    if (packed === undefined) return
    const { head, body } = packed
    await this.#send(head, body, this.#chain.next(head, body))
  }

  async #send(...parts: Buffer[]): Promise<void> {
    const encrypter = this.#encrypter
    const bytes = encrypter === null ? parts : parts.flatMap(part => encrypter.add(part))
    if (bytes.length > 0) await this.#write(Buffer.concat(bytes))
  }

  async #write(bytes: Buffer | undefined): Promise<void> {
    if (bytes === undefined) return
    await new Promise<void>((resolve, reject) => {
      this.#out.write(bytes, error => (error ? reject(fileError(error, 'the archive')) : resolve()))
    })
    this.sizeBytes += bytes.length
  }
}
