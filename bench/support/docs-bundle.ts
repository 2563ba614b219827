import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The bundle of a documentation site's history, or null when the test data is not there. */
export function docsBundle(): string | null {
  const folder = process.env['RM3_TEST_DATA'] ?? join(process.cwd(), '..', 'shared', 'data')
  const bundle = join(folder, 'fastify-docs.bundle')
  return existsSync(bundle) ? bundle : null
}
