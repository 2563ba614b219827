import type { FastifyInstance } from 'fastify'
import { type BlobStores, openBlobStore } from '../blobs/store.ts'
import { Rm3Error } from '../errors.ts'
import type { HttpOptions } from './context.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The files of pages; @throws CONFIG_INVALID where the server was given no folders for them */
    blobStores(): BlobStores
  }
}

/** Opens the folders that files are in, before the server is ready. */
export function addBlobStores(server: FastifyInstance, options: HttpOptions): void {
  const { publicBlobsFolder, privateBlobsFolder } = options
  let stores: BlobStores | null = null
  server.addHook('onReady', async () => {
    if (publicBlobsFolder === null || privateBlobsFolder === null) return
    stores = {
      public: await openBlobStore(publicBlobsFolder),
      private: await openBlobStore(privateBlobsFolder),
    }
  })
  server.decorate('blobStores', () => {
    if (stores !== null) return stores
    throw new Rm3Error('CONFIG_INVALID', 'the server was given no folders for files')
  })
}
