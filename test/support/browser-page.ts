import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

/** Where pictures of pages go, for those who look at them; '' for nowhere. */
const PICTURES = process.env['RM3_TEST_PICTURES'] ?? ''

/** What axe finds in a page, and whether it is wider than the window; [] when all is well. */
export async function objectionsTo(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
  const wide = await page.evaluate(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth',
  )
  return [
    ...violations.map(({ id, nodes }) => `${id} ${nodes[0]?.html ?? ''}`),
    ...(wide ? ['scrolls sideways'] : []),
  ]
}

/** Takes a picture of all of a page. */
export async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === '') return
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
}
