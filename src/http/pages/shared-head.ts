import type { Db } from '../../pg/db.ts'
import { one } from '../../pg/db.ts'

/** How far the log is, and since when rights are as they are. */
export interface Head {
  readonly position: number
  readonly rightsPosition: number
  readonly epoch: string
}

const HEAD = `select position, rights_position as "rightsPosition", epoch from log_head`

/**
 * Reads the head of the log for all who ask at the same time. An answer is never older than the question: who asks while a
 * statement is under way waits for the next one, so a page is as new as if everybody asked alone.
 */
export class SharedHead {
  readonly #db: Db
  #running: Promise<Head> | null = null
  #next: Promise<Head> | null = null

  constructor(db: Db) {
    this.#db = db
  }

  read(): Promise<Head> {
    if (this.#running === null) return this.#begin()
    this.#next ??= this.#running.then(
      () => this.#begin(),
      () => this.#begin(),
    )
    return this.#next
  }

  #begin(): Promise<Head> {
    this.#next = null
    const running = one<Head>(this.#db, HEAD).finally(() => {
      if (this.#running === running) this.#running = null
    })
    this.#running = running
    return running
  }
}
