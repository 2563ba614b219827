import { dump } from './dump.ts'
import { runProgram } from './program.ts'

await runProgram(dump)
