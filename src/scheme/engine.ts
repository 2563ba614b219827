import { Liquid, type Template } from 'liquidjs'
import { writeValue } from './html.ts'

/** Limits of one template set and one rendering; a scheme of someone else's cannot take more of the server. */
const PARSE_CHARACTERS_MAX = 500_000
const RENDER_MS_MAX = 500
/** The engine goes by the clock; where another process had the processor meanwhile, the page begins anew. */
const TRIES_MAX = 5
const MEMORY_MAX = 20_000_000

/** Templates compiled once; `render` gives the markup of one of them. */
export interface Engine {
  /**
   * @param name of the template, without `.liquid`
   * @param context plain values; `Html` among them is written as it is, everything else escaped
   */
  render(name: string, context: object): string
}

/**
 * An engine for `templates` (source by name, without `.liquid`).
 *
 * Templates are logic-less Liquid: no code, own properties only, no way to write a text unescaped (`raw` is no filter
 * here), and no file but these.
 *
 * @throws an error naming template and line when one cannot be parsed
 */
export function createEngine(templates: Readonly<Record<string, string>>): Engine {
  const liquid = new Liquid({
    templates: { ...templates },
    cache: true,
    outputEscape: writeValue,
    ownPropertyOnly: true,
    strictFilters: true,
    parseLimit: PARSE_CHARACTERS_MAX,
    renderLimit: RENDER_MS_MAX,
    memoryLimit: MEMORY_MAX,
  })
  delete liquid.filters['raw']
  const compiled = new Map<string, Template[]>()
  for (const [name, source] of Object.entries(templates)) {
    compiled.set(name, liquid.parse(source, name))
  }
  return {
    render(name, context) {
      const template = compiled.get(name)
      if (!template) throw new Error(`the scheme has no template ${name}.liquid`)
      for (let tries = 1; ; tries++) {
        const since = process.cpuUsage()
        try {
          return liquid.renderSync(template, context) as string
        } catch (thrown) {
          if (tries === TRIES_MAX || !isStall(thrown, since)) throw thrown
        }
      }
    },
  }
}

/** Whether a rendering ended only because this process did not get on. */
function isStall(thrown: unknown, since: NodeJS.CpuUsage): boolean {
  const { user, system } = process.cpuUsage(since)
  return String(thrown).includes('render limit exceeded') && (user + system) / 1000 < RENDER_MS_MAX
}
