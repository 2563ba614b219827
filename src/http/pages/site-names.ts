import { listSettings } from '../../../projections/settings.ts'
import { readState } from '../../commands/states.ts'
import type { Json } from '../../content/document.ts'
import { SETTINGS_STREAM } from '../../content/events.ts'
import { own, type Settings } from '../../content/state.ts'
import { isTimeZone } from '../../content/time-zone.ts'
import { type Db, find } from '../../pg/db.ts'

/** What the settings say of the site for all its pages. */
export interface SiteNames {
  /** null: the front page's title. */
  readonly title: string | null
  readonly language: string
  readonly copyright: string | null
  /** `https://host`, without a slash at the end; null when not set. */
  readonly origin: string | null
  readonly timeZone: string
}

export const NO_NAMES: SiteNames = {
  title: null,
  language: 'en',
  copyright: null,
  origin: null,
  timeZone: 'UTC',
}

const NEWEST = `select revision from log where stream = $1::uuid order by revision desc limit 1`

/** The names as they are set, read again only when settings have changed. One for a server. */
export class NamesReader {
  #revision = 0
  #names = NO_NAMES

  /** `site.title`, `site.language`, `site.copyright`, `site.url` and `site.timezone` of the settings. */
  async read(db: Db): Promise<SiteNames> {
    const newest = await find<{ revision: number }>(db, NEWEST, [SETTINGS_STREAM])
    if (newest === null || newest.revision === this.#revision) return this.#names
    const settings = (await readState(db, SETTINGS_STREAM)) as Settings | null
    if (settings !== null && settings.revision > this.#revision) {
      this.#revision = settings.revision
      this.#names = namesIn(settings)
    }
    return this.#names
  }

  /** What was read last, for when the database cannot be asked. */
  get last(): SiteNames {
    return this.#names
  }
}

/** The names that the settings said at a position. */
export async function readNamesAt(db: Db, position: number): Promise<SiteNames> {
  const settings = new Map((await listSettings(db, position)).map(({ key, value }) => [key, value]))
  return namesFrom(key => settings.get(key))
}

function namesIn({ values }: Settings): SiteNames {
  return namesFrom(key => own(values, key)?.value)
}

function namesFrom(settingOf: (key: string) => Json | undefined): SiteNames {
  const text = (key: string) => {
    const value = settingOf(key)
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : null
  }
  const url = text('site.url')
  const zone = text('site.timezone')
  return {
    title: text('site.title'),
    language: languageOf(text('site.language')),
    copyright: text('site.copyright'),
    origin: url !== null && /^https?:/.test(url) && URL.canParse(url) ? new URL(url).origin : null,
    timeZone: zone !== null && isTimeZone(zone) ? zone : 'UTC',
  }
}

function languageOf(text: string | null): string {
  return text !== null && /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(text) ? text : 'en'
}
