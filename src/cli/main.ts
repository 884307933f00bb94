#!/usr/bin/env node
import { manifest } from '../host/manifest.ts'

const oldest = manifest().engines.node.replace('>=', '')
const { node } = process.versions

if (node.localeCompare(oldest, undefined, { numeric: true }) < 0) {
  // Said before anything is loaded, which an older one could not read.
  process.stderr.write(`vitest-raspi needs Node.js ${oldest} or newer, and this is ${node}.\n`)
  process.exitCode = 1
} else {
  const { runCli } = await import('./program.ts')
  process.exitCode = await runCli(process.argv.slice(2), {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    watched: process.stdout.isTTY && process.stdout.columns > 0 && process.stderr.isTTY && !process.env.CI,
  })
}
