/** `npm run torture -- [--seed N] [--seconds S] [--processes N] [--writers N]`: makes ready what is missing, then tortures the log. */
import { prepare } from './prepare.mjs'

prepare({ withDev: true })
await import('../../dist/test/torture/run.js')
