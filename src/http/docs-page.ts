/** As much of an OpenAPI document as the page shows. */
interface OpenApi {
  readonly info: { readonly title: string; readonly description?: string }
  readonly paths?: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
}
interface OpenApiOperation {
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly OpenApiParameter[]
  readonly requestBody?: { readonly content?: Readonly<Record<string, { schema?: object }>> }
  readonly responses?: Readonly<Record<string, { description?: string; content?: object }>>
}
interface OpenApiParameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema?: object
}

/** The API's description as one page of HTML: no scripts, nothing from elsewhere. @param document what `server.swagger()` gives */
export function docsPage(document: object): string {
  const { info, paths = {} } = document as OpenApi
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const tags = [...new Set(operations.map(({ operation }) => tagOf(operation)))]
  const sections = tags.map(tag => {
    const own = operations.filter(({ operation }) => tagOf(operation) === tag)
    return `<section aria-labelledby="tag-${escaped(tag)}"><h2 id="tag-${escaped(tag)}">${escaped(tag)}</h2>
${own.map(({ path, method, operation }) => article(path, method, operation)).join('\n')}</section>`
  })
  const links = tags.map(tag => `<li><a href="#tag-${escaped(tag)}">${escaped(tag)}</a></li>`)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(info.title)}: API</title><link rel="stylesheet" href="/api/docs.css"></head>
<body><header><h1>${escaped(info.title)}: API</h1><p>${escaped(info.description ?? '')}</p>
<p>The same for programs: <a href="/api/openapi.json">OpenAPI 3.1</a>.</p></header>
<nav aria-label="Parts"><ul>${links.join('')}</ul></nav><main>${sections.join('\n')}</main></body></html>
`
}

/** The style sheet of `docsPage`. */
export const DOCS_CSS = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
h3 { border-top: 1px solid; padding-top: 1rem; margin-bottom: .25rem; overflow-wrap: anywhere; }
h4 { margin: .75rem 0 .25rem; }
code, pre { font: .9em/1.4 ui-monospace, monospace; }
pre { border: 1px solid; border-radius: .25rem; padding: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.method { display: inline-block; min-width: 4.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .25rem .5rem; text-align: left; vertical-align: top; border-bottom: 1px solid; }
nav ul { display: flex; flex-wrap: wrap; gap: 1rem; list-style: none; padding: 0; }
`

function article(path: string, method: string, operation: OpenApiOperation): string {
  const { summary = '', description, parameters = [], requestBody, responses = {} } = operation
  return `<article><h3><code class="method">${escaped(method.toUpperCase())}</code> <code>${escaped(path)}</code></h3>
<p>${escaped(summary)}.${description === undefined ? '' : ` ${escaped(description)}`}</p>
${parameters.length === 0 ? '' : parameterTable(parameters)}${bodyOf(requestBody)}${answersOf(responses)}</article>`
}

function parameterTable(parameters: readonly OpenApiParameter[]): string {
  const rows = parameters.map(({ name, in: where, required, description = '', schema }) => {
    const need = required === true ? 'required' : ''
    return `<tr><th scope="row"><code>${escaped(name)}</code></th><td>${escaped(where)} ${need}</td><td>${escaped(description)} <code>${escaped(shape(schema))}</code></td></tr>`
  })
  return `<h4>Parameters</h4><table><thead><tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`
}

function bodyOf(body: OpenApiOperation['requestBody']): string {
  const parts = Object.entries(body?.content ?? {}).map(
    ([type, { schema }]) =>
      `<h4>Body: <code>${escaped(type)}</code></h4><pre tabindex="0">${escaped(JSON.stringify(schema ?? {}, null, 2))}</pre>`,
  )
  return parts.join('')
}

function answersOf(responses: NonNullable<OpenApiOperation['responses']>): string {
  const items = Object.entries(responses).map(
    ([status, { description = '' }]) =>
      `<li><code>${escaped(status)}</code> ${escaped(description)}</li>`,
  )
  return `<h4>Answers</h4><ul>${items.join('')}</ul>`
}

function shape(schema: object | undefined): string {
  const { description: _, ...rest } = (schema ?? {}) as { description?: string }
  return JSON.stringify(rest)
}

function tagOf(operation: OpenApiOperation): string {
  return operation.tags?.[0] ?? 'other'
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => ENTITIES[character] ?? '')
}
