// `npm run demo`: brings what is missing on this host, then runs the quickstart's tests and shows the verdict.
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { root, step, waitForSteps } from './step.ts'

const example = join(root, 'examples/quickstart')

waitForSteps()
const started = performance.now()
process.exitCode = (await demo()) ? 0 : 1

async function demo(): Promise<boolean> {
  if (!(await step('Building vitest-raspi', ['npm', 'run', '--silent', 'build']))) {
    return verdict(false, 'vitest-raspi could not be built.')
  }
  if (!(await step('What this host needs', ['node', 'dist/cli/main.js', 'doctor', '--fix']))) {
    return verdict(false, 'This host still lacks something; the lines above tell what to do about it.')
  }
  linkPackage()
  const passed = await step('Testing examples/quickstart on emulated Pis', ['vitest', 'run'], example)
  const minutes = Math.ceil((performance.now() - started) / 60_000)
  const time = minutes === 1 ? 'a minute' : `${minutes} minutes`
  return passed
    ? verdict(true, `The demo passed within ${time}. Its playbook and its tests are in examples/quickstart.`)
    : verdict(false, 'The demo failed: the report above tells why.')
}

/** Makes the example find this very package by its name, as if it had been installed from the registry. */
function linkPackage() {
  const link = join(example, 'node_modules/vitest-raspi')
  mkdirSync(join(example, 'node_modules'), { recursive: true })
  rmSync(link, { recursive: true, force: true })
  symlinkSync(root, link, 'dir')
}

function verdict(passed: boolean, sentence: string): boolean {
  console.log(`\n${styleText(passed ? 'green' : 'red', sentence)}`)
  return passed
}
