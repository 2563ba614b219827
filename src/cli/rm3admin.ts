import { admin } from './admin.ts'
import { runProgram } from './program.ts'

await runProgram(admin)
