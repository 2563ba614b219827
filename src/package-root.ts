import { join } from 'node:path'

/** The package's root folder: where `schema/`, `docs/` and the templates are. This file runs from `dist/src/`. */
export const PACKAGE_ROOT = join(import.meta.dirname, '..', '..')
