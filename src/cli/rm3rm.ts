import { runProgram } from './program.ts'
import { rm } from './rm.ts'

await runProgram(rm)
