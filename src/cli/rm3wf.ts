import { workers } from './front.ts'
import { runProgram } from './program.ts'

await runProgram(workers)
