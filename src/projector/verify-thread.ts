/** Runs in a thread of its own: compares the rows of some chunks with the log. */
import { workerData } from 'node:worker_threads'
import { openBulk } from '../pg/bulk.ts'
import { isPerEntity } from './define.ts'
import { discoverProjections } from './discover.ts'
import { asThread } from './threads.ts'
import { type VerifiedChunk, verifyChunk } from './verify-rows.ts'
import type { VerifyShare } from './verify-threads.ts'

await asThread<VerifiedChunk>(async tell => {
  const { database, chunks, names } = workerData as VerifyShare
  const projections = (await discoverProjections())
    .filter(isPerEntity)
    .filter(({ name }) => names.includes(name))
  const writer = await openBulk(database)
  const reader = await openBulk(database)
  try {
    for (const chunk of chunks) tell(await verifyChunk({ writer, reader, projections }, chunk))
  } finally {
    await Promise.all([writer.close(), reader.close()])
  }
})
