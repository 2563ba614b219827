import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** The program for tests in a browser; null when none is installed, and such tests are to be skipped. */
export function findChromium(): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const programs = folders.flatMap(folder => NAMES.map(name => join(folder, name)))
  return programs.find(program => existsSync(program)) ?? null
}
