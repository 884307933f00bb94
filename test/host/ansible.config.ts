import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { otherAnsibleCores } from '../support/ansible-cores.ts'
import { patient } from './patient.ts'
import '../support/plain-env.ts'

// The tests of what Ansible's runs tell, once more with each other ansible-core that there is: `npm run fetch:ansible` brings
// one, and VITEST_RASPI_ANSIBLE_PATHS names those of yours. Where there is none, there is no test.

const root = fileURLToPath(new URL('../..', import.meta.url))
const cores = otherAnsibleCores()
/** `ansible-core 2.19.11`, as the programs in `dir` say. */
function nameOf(dir: string): string {
  const said = execFileSync(join(dir, 'ansible-playbook'), ['--version'], { encoding: 'utf8' })
  return `ansible-core ${/\[core (\S+)\]/.exec(said)?.[1] ?? dir}`
}

export default defineConfig({
  root,
  test: {
    include: [],
    ...(cores.length > 0 && { projects: projects() }),
  },
})

function projects() {
  return cores.map((dir) => ({
    root,
    test: {
      name: nameOf(dir),
      include: ['test/host/ansible-callback.test.ts'],
      env: { PATH: `${dir}:${process.env.PATH}` },
      ...patient,
    },
  }))
}
