import { mv } from './mv.ts'
import { runProgram } from './program.ts'

await runProgram(mv)
