import type { Bench } from './harness.ts'
import { deepPage } from './support/deep-page.ts'
import { bareReads, CONNECTIONS, httpSite } from './support/http-site.ts'

/**
 * Questions: what does a list of 100 revisions cost, against a bare fastify route that does one prepared SELECT? And does reading a
 * revision of a page with 10,000 of them depend on how deep it is?
 */
const REVISIONS = 10_000
const PATH = 'wh.deep'

export default async function history(bench: Bench): Promise<void> {
  const http = await httpSite(bench)
  try {
    await deepPage(http.site, PATH, REVISIONS)
    await http.settle()
    const page = `${http.url}/api/pages/${PATH}`
    const limit = await http.load({ urls: bareReads(http.bareUrl) })
    const list = await http.load({ urls: [`${page}/revisions?limit=100`] })
    const head = await http.load({ urls: [page], connections: 1 })
    const any = Array.from(
      { length: 500 },
      (_, n) => `${page}?at=revision:${1 + ((n * 7919) % REVISIONS)}`,
    )
    const deep = await http.load({ urls: any, connections: 1 })
    if (list.failed + head.failed + deep.failed > 0) throw new Error('requests failed')
    bench.report({
      case: `list of 100 revisions, ${CONNECTIONS} connections`,
      value: list.perSecond,
      unit: 'requests/s',
      limit: limit.perSecond,
      limitName: 'bare fastify + one SELECT, requests/s',
      must: '>= 0.3',
    })
    bench.report({
      case: `any of ${REVISIONS} revisions, p50`,
      value: deep.p50,
      unit: 'ms',
      limit: head.p50,
      limitName: 'the head, p50 in ms',
      must: '<= 2',
    })
    bench.say(
      `p99: revision ${deep.p99.toFixed(1)} ms, head ${head.p99.toFixed(1)} ms; list p50 ${list.p50.toFixed(1)} ms`,
    )
  } finally {
    await http.close()
  }
}
