import fs from 'node:fs'
import promises, { type FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'

/** What goes wrong: a disk that fails or is full, a database that is lost, a process that is killed. */
export type Fault = 'EIO' | 'ENOSPC' | 'lost' | 'kill'

/** Where and what: the `at`-th place of its kind, from 1; `Infinity` only counts them. */
export interface Plan {
  readonly fault: Fault
  readonly at: number
  /** Only what is done to files below this folder counts. */
  readonly root: string
}

export interface Faulted {
  /** Places that came by, of each kind. */
  readonly places: Readonly<Record<Fault, number>>
  /** What was being done at the fault; null when it was not come to. */
  readonly hit: string | null
  /** What the work rejected with; null when it fulfilled. */
  readonly error: unknown
}

type Operation = (...args: unknown[]) => unknown
type Holder = Record<string, Operation>

/** Those that take room, `open` when it is for writing. */
const WRITES = ['mkdir', 'mkdtemp', 'rename', 'link', 'writeFile', 'write', 'sync']
const IN_PROMISES = [
  ...['open', 'mkdir', 'mkdtemp', 'rename', 'link', 'rm', 'rmdir', 'writeFile'],
  ...['stat', 'lstat', 'readdir', 'opendir', 'readFile'],
]
const IN_FS = ['openSync', 'readSync', 'fstatSync', 'open', 'read']
const IN_HANDLES = ['writeFile', 'write', 'sync', 'read', 'stat']

/**
 * Does some work in which one operation on files, or one statement, goes wrong: every one of them is a place where a machine may. One at a
 * time.
 */
export async function withFault(plan: Plan, work: () => Promise<unknown>): Promise<Faulted> {
  const trap = new Trap(plan)
  const restore = await patchAll(trap)
  let error: unknown = null
  try {
    await work()
  } catch (thrown) {
    error = thrown
  } finally {
    restore()
  }
  return { places: trap.places, hit: trap.hit, error }
}

class Trap {
  readonly places: Record<Fault, number> = { EIO: 0, ENOSPC: 0, lost: 0, kill: 0 }
  hit: string | null = null
  readonly #plan: Plan
  /** Descriptors and handles of files below the root. */
  readonly #files = new Set<unknown>()

  constructor(plan: Plan) {
    this.#plan = plan
  }

  /** Whether an operation on a path, a descriptor or a handle is one of those that count. */
  isOurs(subject: unknown): boolean {
    return typeof subject === 'string'
      ? subject.startsWith(this.#plan.root)
      : this.#files.has(subject)
  }

  opened(file: unknown): void {
    this.#files.add(file)
  }

  /** @throws what the file system would */
  file(operation: string, subject: unknown, flags?: unknown): void {
    const { fault } = this.#plan
    const isWriting =
      WRITES.includes(operation) || (operation === 'open' && /[wa]/.test(`${flags}`))
    if (!this.#isHere(isWriting ? ['EIO', 'ENOSPC', 'kill'] : ['EIO', 'kill'])) return
    this.hit = `${operation} ${typeof subject === 'string' ? subject : ''}`
    if (fault === 'kill') process.kill(process.pid, 'SIGKILL')
    throw Object.assign(new Error(`${fault}: made up, ${operation}`), {
      code: fault,
      syscall: operation,
      // of an open file the system does not know what it is called
      ...(typeof subject === 'string' && { path: subject }),
    })
  }

  /** @returns whether the connection is to be lost */
  statement(text: string): boolean {
    if (!this.#isHere(['lost', 'kill'])) return false
    this.hit = text
    if (this.#plan.fault === 'kill') process.kill(process.pid, 'SIGKILL')
    return true
  }

  /** Counts a place at which these faults may happen. */
  #isHere(faults: readonly Fault[]): boolean {
    const { fault, at } = this.#plan
    for (const each of faults) this.places[each]++
    return faults.includes(fault) && this.places[fault] === at
  }
}

async function patchAll(trap: Trap): Promise<() => void> {
  const handles = await handlePrototype()
  const undo = [
    ...IN_PROMISES.map(name => patch(promises as unknown as Holder, name, trap)),
    ...IN_FS.map(name => patch(fs as unknown as Holder, name, trap)),
    ...IN_HANDLES.map(name => patchHandle(handles, name, trap)),
    patchQuery(trap),
  ]
  syncBuiltinESMExports()
  return () => {
    for (const back of undo) back()
    syncBuiltinESMExports()
  }
}

async function handlePrototype(): Promise<Holder> {
  const path = join(tmpdir(), `rm3-faults-${process.pid}`)
  const file: FileHandle = await promises.open(path, 'w')
  await file.close()
  await promises.rm(path)
  return Object.getPrototypeOf(file) as Holder
}

function replace(holder: Holder, name: string, by: (original: Operation) => Operation): () => void {
  const original = holder[name] as Operation
  holder[name] = by(original)
  return () => {
    holder[name] = original
  }
}

function patch(holder: Holder, name: string, trap: Trap): () => void {
  const isAsync = holder === (promises as unknown as Holder)
  return replace(holder, name, original => (...args) => {
    const isOurs = trap.isOurs(args[0])
    try {
      if (isOurs) trap.file(name, args[0], args[1])
    } catch (thrown) {
      if (isAsync) return Promise.reject(thrown)
      const done = args.at(-1)
      if (typeof done !== 'function') throw thrown
      setImmediate(() => (done as Operation)(thrown))
      return undefined
    }
    if (!isOurs) return original.apply(holder, args)
    return remembered(original.apply(holder, opening(name, args, trap)), name, trap)
  })
}

/** With a callback the descriptor comes there. */
function opening(name: string, args: unknown[], trap: Trap): unknown[] {
  const done = args.at(-1)
  if (name !== 'open' || typeof done !== 'function') return args
  const then = (error: unknown, file: unknown) => {
    trap.opened(file)
    ;(done as Operation)(error, file)
  }
  return [...args.slice(0, -1), then]
}

function remembered(result: unknown, name: string, trap: Trap): unknown {
  if (name === 'openSync') trap.opened(result)
  if (name !== 'open' || !(result instanceof Promise)) return result
  return result.then(file => {
    trap.opened(file)
    return file as unknown
  })
}

function patchHandle(prototype: Holder, name: string, trap: Trap): () => void {
  return replace(
    prototype,
    name,
    original =>
      async function (this: unknown, ...args: unknown[]) {
        if (trap.isOurs(this)) trap.file(name, this)
        return original.apply(this, args)
      },
  )
}

interface Connected {
  readonly connection: { readonly stream: { destroy(): void } }
}

function patchQuery(trap: Trap): () => void {
  const prototype = pg.Client.prototype as unknown as Holder
  return replace(
    prototype,
    'query',
    original =>
      function (this: unknown, ...args: unknown[]) {
        const [asked] = args as [string | { text?: string } | undefined]
        const text = typeof asked === 'string' ? asked : (asked?.text ?? '')
        if (trap.statement(text.slice(0, 80))) (this as Connected).connection.stream.destroy()
        return original.apply(this, args)
      },
  )
}
