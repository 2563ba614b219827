import { findPageAndHead } from '../projections/pages.ts'
import type { Bench } from './harness.ts'
import { CONNECTIONS, fillSite, httpSite } from './support/http-site.ts'

/**
 * Question: what does a save cost through HTTP — token, If-Match, patch, revision, all inline projections — against a bare fastify
 * route that parses the same body and does one INSERT?
 */
const PAGES = 1_000

export default async function save(bench: Bench): Promise<void> {
  const http = await httpSite(bench)
  try {
    await fillSite(http.site, PAGES)
    await http.settle()
    const etags: Record<string, string> = {}
    for (let n = 1; n <= CONNECTIONS; n++) {
      const { page } = await findPageAndHead(http.site.db, `wh.s0.p${n}`)
      etags[`${http.url}/api/pages/wh.s0.p${n}`] = `"${page?.sinceId}"`
    }
    const headers = {
      'content-type': 'application/merge-patch+json',
      authorization: `Bearer ${http.token}`,
    }
    const body = '{"summary":{"abstract":"This is turn $turn of a page that is saved often."}}'
    const limit = await http.load({
      urls: [`${http.bareUrl}/save`],
      method: 'PATCH',
      headers,
      body,
    })
    const saved = await http.load({
      urls: Object.keys(etags),
      method: 'PATCH',
      headers,
      body,
      etags,
    })
    if (saved.failed > 0) throw new Error(`${saved.failed} requests failed`)
    bench.report({
      case: `PATCH, ${CONNECTIONS} connections`,
      value: saved.perSecond,
      unit: 'saves/s',
      limit: limit.perSecond,
      limitName: 'bare fastify + one INSERT, requests/s',
      must: '>= 0.5',
    })
    bench.say(
      `p50 / p99 ms: ${saved.p50.toFixed(2)} / ${saved.p99.toFixed(2)}, bare ${limit.p50.toFixed(2)} / ${limit.p99.toFixed(2)}`,
    )
  } finally {
    await http.close()
  }
}
