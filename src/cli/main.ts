#!/usr/bin/env node
import { runCli } from './program.ts'

process.exitCode = await runCli(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  watched: process.stdout.isTTY && process.stdout.columns > 0 && process.stderr.isTTY && !process.env.CI,
})
