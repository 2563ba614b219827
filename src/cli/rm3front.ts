import { front } from './front.ts'
import { runProgram } from './program.ts'

await runProgram(front)
