/** Runs in a thread of its own: loads chunks of the rebuild that is under way. */
import { workerData } from 'node:worker_threads'
import type { SiteDatabase } from '../pg/bulk.ts'
import { discoverProjections } from './discover.ts'
import { loadChunks } from './rebuild-load.ts'
import { asThread } from './threads.ts'

await asThread(async () => loadChunks(workerData as SiteDatabase, await discoverProjections()))
