/** `npm run bench [-- NAME] [-- --json]`: makes ready what is missing, then runs the benchmarks. */
import { prepare } from './prepare.mjs'

prepare({ withDev: true })
await import('../../dist/bench/run.js')
