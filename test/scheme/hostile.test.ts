import { assert, suite } from '../harness.ts'
import { PLACES } from './hostile-views.ts'
import { PAYLOADS } from './payloads.ts'

const TAG =
  /^<(?:!doctype html|\/[a-z][a-z0-9]*|([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"<>]*")?)*)\s*)>/
const ATTRIBUTE = /\s+([a-z-]+)(?:="([^"]*)")?/g
const FORBIDDEN = new Set([
  ...['script', 'style', 'iframe', 'object', 'embed', 'svg', 'math', 'base', 'template', 'frame'],
  ...['noscript', 'xmp', 'plaintext', 'textarea', 'select', 'applet', 'marquee', 'video', 'source'],
])
const ADDRESSES = new Set([
  'href',
  'src',
  'action',
  'formaction',
  'cite',
  'poster',
  'data',
  'srcset',
])
/** Ids of the scheme, and the prefixes that ids of texts have. */
const OWN_ID =
  /^(?:c2?-|(?:content|comments|user|password|problem|author|since|until|compare|revisions|as-of-day|to|note)$)/
/** Scripts of rm3 itself: never a text's. */
const OWN_SCRIPT = /^ type="module" src="\/\$static\/[0-9a-f]{16}\/[a-z-]+\.js"$/
const SAFE_SCHEMES = new Set(['http:', 'https:', 'mailto:'])

/** What is wrong with `page`, read as strictly as no browser does: every `<` begins a plain tag, or it is a finding. */
function findings(page: string): string[] {
  const wrong: string[] = []
  for (let at = page.indexOf('<'); at !== -1; at = page.indexOf('<', at + 1)) {
    const tag = TAG.exec(page.slice(at, at + 4000))
    if (!tag) wrong.push(`not a tag: ${page.slice(at, at + 80)}`)
    else if (tag[1] !== undefined) wrong.push(...findingsOfTag(tag[1], tag[2] ?? ''))
  }
  return wrong
}

function findingsOfTag(name: string, attributes: string): string[] {
  const wrong: string[] = []
  if (name === 'script' && OWN_SCRIPT.test(attributes)) return []
  if (FORBIDDEN.has(name)) wrong.push(`element ${name}`)
  for (const [, key = '', value = ''] of attributes.matchAll(ATTRIBUTE)) {
    if (key.startsWith('on') || ['style', 'srcdoc', 'http-equiv', 'formaction'].includes(key)) {
      wrong.push(`attribute ${key} of ${name}`)
    }
    if (ADDRESSES.has(key) && !isSafeAddress(decoded(value))) wrong.push(`${key}="${value}"`)
    if (key === 'name' && !['input', 'meta'].includes(name)) wrong.push(`name of ${name}`)
    if (key === 'id' && !OWN_ID.test(value)) {
      wrong.push(`id="${value}"`)
    }
  }
  return wrong
}

/** As a browser understands it. */
function isSafeAddress(value: string): boolean {
  try {
    return SAFE_SCHEMES.has(new URL(value, 'https://site.example/page/').protocol)
  } catch {
    return true
  }
}

function decoded(value: string): string {
  return value
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
}

suite('hostile texts', test => {
  for (const [place, render] of Object.entries(PLACES)) {
    test(`do nothing as ${place}`, () => {
      const wrong = PAYLOADS.flatMap(payload =>
        findings(render(payload)).map(finding => `${payload} → ${finding}`),
      )

      assert.equal(wrong, [])
    })
  }

  test('are tried in at least 500 combinations', () => {
    assert.ok(Object.keys(PLACES).length * PAYLOADS.length >= 500)
  })

  test('are found by this very check when they get through', () => {
    assert.ok(findings('<p><script>alert(1)</script></p>').length > 0)
    assert.ok(findings('<a href="java&#10;script:alert(1)">x</a>').length > 0)
    assert.ok(findings('<a href="javascript:alert(1)">x</a>').length > 0)
    assert.ok(findings('<img src="x" onerror="alert(1)">').length > 0)
    assert.ok(findings('a < b').length > 0)
    assert.equal(findings('<a href="https://x.example/?a=javascript:b">x</a>'), [])
  })

  test('cannot reach a template from a text', () => {
    const page = PLACES['title']?.('{{ 7 | times: 7 }}{{ site.name }}') ?? ''

    assert.match(page, '{{ 7 | times: 7 }}')
    assert.not.match(page, '>49')
  })
})
