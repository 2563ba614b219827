#!/usr/bin/env node
import { mv } from './mv.ts'
import { runProgram } from './program.ts'

await runProgram(mv)
