import { load } from './load.ts'
import { runProgram } from './program.ts'

await runProgram(load)
