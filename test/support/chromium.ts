import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { skipSuite, suite } from '../harness.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** A suite that needs a browser; skipped, and said so, where there is none. */
export function browserSuite(name: string, declare: Parameters<typeof suite>[1]): void {
  if (findChromium() === null) skipSuite(name, 'there is no chromium here')
  else suite(name, declare)
}

/** The program for tests in a browser: `RM3_TEST_CHROMIUM`, or the first of its names on the path; null when there is none. */
export function findChromium(): string | null {
  const { RM3_TEST_CHROMIUM: named, PATH = '' } = process.env
  const programs = PATH.split(delimiter).flatMap(folder => NAMES.map(name => join(folder, name)))
  return (named === undefined ? programs : [named]).find(program => existsSync(program)) ?? null
}
