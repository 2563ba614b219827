#!/usr/bin/env node
import { backup } from './backup.ts'
import { runProgram } from './program.ts'

await runProgram(backup)
