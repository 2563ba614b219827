import type { Bench } from './harness.ts'
import { bareReads, CONNECTIONS, fillSite, httpSite } from './support/http-site.ts'

/**
 * Question: what does reading a page cost through HTTP, as JSON and as HTML, with rights and 100,000 entities in the site,
 * against a bare fastify route that does one prepared SELECT and sends what it gets? Pages as HTML are kept once they were asked for; how
 * fast they are before that is told beside it.
 */
const PAGES = 100_000

export default async function read(bench: Bench): Promise<void> {
  const http = await httpSite(bench)
  try {
    await fillSite(http.site, PAGES)
    await http.settle()
    const paths = Array.from(
      { length: 1000 },
      (_, n) => `s${(n * 7) % 100}.p${1 + ((n * 13) % 998)}`,
    )
    const limit = await http.load({ urls: bareReads(http.bareUrl) })
    const json = await http.load({ urls: paths.map(path => `${http.url}/api/pages/wh.${path}`) })
    const again = await http.load({ urls: bareReads(http.bareUrl) })
    const pages = paths.map(path => `${http.url}/${path.replaceAll('.', '/')}/`)
    const first = await visitOnce(pages)
    const html = await http.load({ urls: pages, headers: { accept: 'text/html' } })
    if (json.failed + html.failed > 0)
      throw new Error(`${json.failed} and ${html.failed} requests failed`)
    const limitName = 'bare fastify + one SELECT, requests/s'
    const rate = (limit.perSecond + again.perSecond) / 2
    bench.report({
      case: `JSON, ${CONNECTIONS} connections`,
      value: json.perSecond,
      unit: 'requests/s',
      limit: rate,
      limitName,
      must: '>= 0.7',
    })
    bench.report({
      case: `HTML, ${CONNECTIONS} connections`,
      value: html.perSecond,
      unit: 'requests/s',
      limit: rate,
      limitName,
      must: '>= 0.4',
    })
    bench.say(`HTML asked for the first time: ${first.toFixed(0)} requests/s`)
    bench.say(
      `p50 / p99 ms: JSON ${json.p50.toFixed(2)} / ${json.p99.toFixed(2)}, HTML ${html.p50.toFixed(2)} / ${html.p99.toFixed(2)}, bare ${limit.p50.toFixed(2)} / ${limit.p99.toFixed(2)}`,
    )
  } finally {
    await http.close()
  }
}

/** Asks for each page once, so that it is kept from then on. @returns pages per second */
async function visitOnce(urls: readonly string[]): Promise<number> {
  const started = performance.now()
  const left = [...urls]
  const visit = async () => {
    for (let url = left.pop(); url !== undefined; url = left.pop()) {
      await (await fetch(url, { headers: { accept: 'text/html' } })).arrayBuffer()
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, visit))
  return urls.length / ((performance.now() - started) / 1000)
}
