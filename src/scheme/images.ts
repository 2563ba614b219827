import { escapeHtml } from './html.ts'
import { isPath, pathOfUrl } from './site-urls.ts'
import { plainText } from './tokens.ts'

/** What is needed to show the picture of a page within another page's text. */
export interface SiteImage {
  /** Of the picture file; `srcset` as in HTML when there are several widths. */
  readonly url: string
  readonly srcset?: string
  /** Of the page that the picture belongs to. */
  readonly pageUrl: string
  readonly alt: string
  readonly title: string
  /** Plain text. */
  readonly description?: string
  /** In pixels; null when unknown. */
  readonly width: number | null
  readonly height: number | null
}

/** An image of a text that names a page of the site; who views it decides whether it is shown. */
export interface ImageReference {
  /** Dotted path of the page. */
  readonly path: string
  readonly alt: string
  readonly size: 'small' | 'medium' | 'large' | null
  readonly float: 'left' | 'right' | null
  /** True: the page's title; a text: that. */
  readonly caption: boolean | string
  /** True: the page's description; a text: that. */
  readonly description: boolean | string
  /** Whether it may be a figure of its own, or stands within a line. */
  readonly setting: 'block' | 'inline'
}

/** What an `<img>` becomes. */
export type Picture =
  | { readonly type: 'html'; readonly markup: string }
  | { readonly type: 'image'; readonly image: ImageReference }

/** In an image's address: the site's own files, which are no pages. */
const SITE_FILE = /^\/(?:[A-Za-z0-9_]+\/)*\$/
const SIZES: Readonly<Record<string, string>> = {
  small: '(max-width: 40rem) 50vw, 15rem',
  medium: '(max-width: 40rem) 100vw, 30rem',
  large: '(max-width: 50rem) 100vw, 46rem',
}

/**
 * The `<img>` with sanitised `attributes` on the page at `pageUrl`: a reference when it names a page of the site, a
 * lazy image when it is a file of the site or comes over https, else a link to it (a page over https cannot show it).
 */
export function imageOf(
  attributes: ReadonlyMap<string, string>,
  pageUrl: string,
  setting: 'block' | 'inline',
): Picture {
  const src = plainText(attributes.get('src') ?? '').trim()
  const alt = plainText(attributes.get('alt') ?? '')
  if (src === '') return { type: 'html', markup: escapeHtml(alt) }
  if (/^https:\/\//i.test(src) || SITE_FILE.test(src)) {
    return { type: 'html', markup: fileImage(src, alt, attributes) }
  }
  const path = pathOfUrl(src, pageUrl)
  if (path !== null) return { type: 'image', image: referenceOf(path, alt, attributes, setting) }
  if (/^http:\/\//i.test(src)) {
    const markup = `<a href="${escapeHtml(src)}" rel="noopener nofollow ugc">${escapeHtml(alt || src)}</a>`
    return { type: 'html', markup }
  }
  return { type: 'html', markup: missing(alt) }
}

/** The figure for `reference`; a quiet box with its alternative text when `image` is null. */
export function figure(reference: ImageReference, image: SiteImage | null): string {
  if (image === null) return missing(reference.alt)
  const size = reference.size ?? 'large'
  const inline = reference.setting === 'inline'
  const [outer, inner] = inline ? ['span', 'span'] : ['figure', 'figcaption']
  const classes = `picture ${size}${reference.float ? ` ${reference.float}` : ''}`
  const alt = reference.alt || image.alt
  const img = pictureTag(image, alt, SIZES[size] ?? '')
  // a link needs a name also when the picture has none
  const name = alt === '' ? ` aria-label="${escapeHtml(image.title || 'Picture')}"` : ''
  const link = `<a href="${escapeHtml(image.pageUrl)}"${name}>${img}</a>`
  const caption = captionOf(reference, image)
  const below = caption === '' ? '' : `<${inner} class="caption" dir="auto">${caption}</${inner}>`
  return `<${outer} class="${classes}">${link}${below}</${outer}>`
}

/** The `<img>` of a site's picture. */
export function pictureTag(
  image: Pick<SiteImage, 'url' | 'srcset' | 'width' | 'height'>,
  alt: string,
  sizes: string,
): string {
  const set = image.srcset ? ` srcset="${escapeHtml(image.srcset)}" sizes="${sizes}"` : ''
  return `<img src="${escapeHtml(image.url)}"${set} alt="${escapeHtml(alt)}"${dimensions(image.width, image.height)} loading="lazy" decoding="async">`
}

function captionOf(reference: ImageReference, image: SiteImage): string {
  const title = reference.caption === true ? image.title : reference.caption || ''
  const told =
    reference.description === true ? (image.description ?? '') : reference.description || ''
  return [title, told]
    .filter(text => text !== '')
    .map((text, index) => (index === 0 ? escapeHtml(text) : `<small>${escapeHtml(text)}</small>`))
    .join(' ')
}

function referenceOf(
  path: string,
  alt: string,
  attributes: ReadonlyMap<string, string>,
  setting: 'block' | 'inline',
): ImageReference {
  const size = attributes.get('data-size')
  const float = attributes.get('data-float')
  return {
    path: isPath(path) ? path : 'wh',
    alt,
    size: size === 'small' || size === 'medium' || size === 'large' ? size : null,
    float: float === 'left' || float === 'right' ? float : null,
    caption: wish(attributes.get('data-title')),
    description: wish(attributes.get('data-desc')),
    setting,
  }
}

/** `"true"` and `""` ask for the page's own words, `"false"` for none, anything else is the words. */
function wish(value: string | undefined): boolean | string {
  if (value === undefined || value === 'false') return false
  return value === 'true' || value === '' ? true : plainText(value)
}

function fileImage(src: string, alt: string, attributes: ReadonlyMap<string, string>): string {
  const size = dimensions(pixels(attributes.get('width')), pixels(attributes.get('height')))
  return `<img src="${escapeHtml(src)}" alt="${escapeHtml(alt)}"${size} loading="lazy" decoding="async" referrerpolicy="no-referrer">`
}

function dimensions(width: number | null, height: number | null): string {
  return `${width ? ` width="${width}"` : ''}${height ? ` height="${height}"` : ''}`
}

function pixels(value: string | undefined): number | null {
  const number = Number(value)
  return Number.isInteger(number) && number > 0 && number <= 20_000 ? number : null
}

function missing(alt: string): string {
  return `<span class="missing">${escapeHtml(alt === '' ? 'A picture that cannot be shown here' : alt)}</span>`
}
