import { momentOf } from './moments.ts'
import type { Scheme } from './scheme.ts'
import type { Frame, Link } from './views.ts'

/** What stands in a view's `<head>`. */
export interface Head {
  readonly title: string
  readonly description?: string
  /** Absolute URL. */
  readonly canonical?: string | null
  readonly noindex?: boolean
  readonly alternates?: readonly (Link & { readonly mediaType: string })[]
  /** OpenGraph and the like. */
  readonly properties?: readonly { readonly name: string; readonly value: string }[]
}

/** The markup of a view: template `name` with what every view has and its own `context`. */
export function renderView(
  scheme: Scheme,
  name: string,
  view: {
    readonly frame: Frame
    readonly head: Head
    readonly breadcrumb: readonly Link[]
    readonly context: object
  },
): string {
  const { frame, head, breadcrumb } = view
  const asset = (file: string) => scheme.assets.get(file)?.url ?? ''
  return scheme.engine.render(name, {
    ...view.context,
    head: { noindex: frame.asOf !== null, ...head },
    breadcrumb,
    site: frame.site,
    nav: frame.nav,
    user: frame.user,
    loginUrl: frame.loginUrl,
    searchUrl: frame.searchUrl,
    asOf: frame.asOf && { at: momentOf(frame.asOf.at), nowUrl: frame.asOf.nowUrl },
    assets: { style: asset('style.css'), logo: asset('logo.svg'), favicon: asset('favicon.svg') },
  })
}

/** What links in texts of this view get; empty for the present. */
export function linkQueryOf(frame: Frame): string {
  return frame.asOf?.linkQuery ?? ''
}
