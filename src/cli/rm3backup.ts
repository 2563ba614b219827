import { constants, setPriority } from 'node:os'
import { backup } from './backup.ts'
import { runProgram } from './program.ts'

// on a busy machine readers come first; on an idle one it is as fast as ever
setPriority(constants.priority.PRIORITY_LOW)
await runProgram(backup)
