import { linkQueryOf } from './frame.ts'
import { Html } from './html.ts'
import { pictureTag } from './images.ts'
import { isJsonObject, textAt } from './json.ts'
import type { Scheme } from './scheme.ts'
import { safeLink } from './site-urls.ts'
import type { AudioFile, PageView } from './views.ts'
import { sizeInWords } from './words.ts'

const PROPERTIES_MAX = 200
const HERO_SIZES = '(max-width: 50rem) 100vw, 46rem'

/** What the template `page` needs for the page's proto alone; nothing for protos that are text and children only. */
export function contextOfProto(scheme: Scheme, view: PageView, title: string): object {
  const { proto, summary, data } = view.page.document
  switch (proto) {
    case 'photo':
    case 'vectorgraphic':
      return { picture: view.picture && heroOf(view.picture, title) }
    case 'audio':
      return { audio: view.audio && audioOf(view.audio) }
    case 'link':
      return { link: linkOf(textAt(summary, 'url')) }
    case 'user':
      return { profile: { website: outsideLink(textAt(summary, 'profileUrl')) } }
    case 'predicate':
      return { uri: uriOf(textAt(summary, 'uri')) }
    case 'ontag':
      return { uri: uriOf(textAt(summary, 'uri')), properties: propertiesOf(data['properties']) }
    case 'comment':
      return { said: said(scheme, textAt(data, 'comment'), view) }
    case 'emailform':
      return { said: said(scheme, textAt(data, 'description'), view) }
    default:
      return {}
  }
}

function heroOf(picture: NonNullable<PageView['picture']>, title: string): object {
  return { url: picture.url, tag: new Html(pictureTag(picture, title, HERO_SIZES)) }
}

function audioOf(audio: AudioFile): object {
  const kind = audio.mediaType === 'audio/mpeg' ? 'MP3' : audio.mediaType
  return { ...audio, kind, size: audio.sizeBytes > 0 ? `, ${sizeInWords(audio.sizeBytes)}` : '' }
}

function linkOf(url: string): { url: string; label: string } | null {
  const safe = safeLink(url)
  return safe === null ? null : { url: safe, label: safe.replace(/^https?:\/\/(www\.)?|\/$/g, '') }
}

function outsideLink(url: string): string | null {
  return /^https?:\/\//i.test(url) ? safeLink(url) : null
}

function uriOf(uri: string): { url: string | null; text: string } | null {
  return uri.trim() === '' ? null : { url: outsideLink(uri.trim()), text: uri.trim() }
}

function propertiesOf(properties: unknown): object[] {
  const list = Array.isArray(properties) ? properties.slice(0, PROPERTIES_MAX) : []
  return list.filter(isJsonObject).map(property => ({
    name: textAt(property, 'desc') || textAt(property, 'uri') || 'Property',
    url: outsideLink(textAt(property, 'uri')),
    value: textAt(property, 'value'),
  }))
}

function said(scheme: Scheme, source: string, view: PageView): Html | null {
  if (source.trim() === '') return null
  return new Html(scheme.texts.comment(source, linkQueryOf(view.frame)))
}
