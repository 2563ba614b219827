/** `npm start`: makes ready what is missing, then is the web server. */
import { prepare } from './prepare.mjs'

prepare({ withDev: false })
await import('../../dist/src/cli/rm3front.js')
