import { runProgram } from './program.ts'
import { rm3 } from './rm3-verbs.ts'

await runProgram(rm3)
