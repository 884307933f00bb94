import { expect, test } from 'vitest'
import { Project } from '../support/project.ts'

// Many thaws at the same time. VITEST_RASPI_THAWS=200 is what a release is tried with; it takes half an hour for each kind.

const count = Number(process.env.VITEST_RASPI_THAWS ?? 8)
const atOnce = 4

const alone = {
  'site.yml': `
- hosts: all
  gather_facts: false
  tasks:
    - name: Leave a mark
      # What needs no Python in the guest leaves its time to the thaws.
      ansible.builtin.raw: "printf %s {{ mark }} > /etc/mark"
      become: true
`,
  'thaws.test.ts': `
import { describe } from 'vitest'
import { expect, test } from 'vitest-raspi'
describe.concurrent('thaws', () => {
  for (let number = 1; number <= ${count}; number++) {
    test(\`Pi \${number}\`, async ({ pi, ansible }) => {
      await expect(pi).not.toHaveFile('/etc/mark')
      expect(await ansible.playbook('site.yml', { extraVars: { mark: \`\${number}\` } })).toSucceed()
      await expect(pi).toHaveFile('/etc/mark', { content: \`\${number}\` })
    })
  }
})
`,
}

const onNetworks = {
  'thaws.test.ts': `
import { describe } from 'vitest'
import { expect, raspiTest } from 'vitest-raspi'
const test = raspiTest({ hosts: { pi: { networks: ['a', 'b', 'c'] } } })
describe.concurrent('thaws', () => {
  for (let number = 1; number <= ${count}; number++) {
    test(\`Pi \${number}\`, async ({ pi }) => {
      expect(pi.nics.map((nic) => nic.interface)).toEqual(['eth1', 'eth2', 'eth3'])
      const { stdout } = await pi.run('grep -H . /sys/class/net/eth?/address; ip -oneline -4 address show')
      for (const { interface: name, mac, address } of pi.nics) {
        expect(stdout).toContain(\`/sys/class/net/\${name}/address:\${mac}\\n\`)
        expect(stdout).toContain(\` \${name}    inet \${address} \`)
      }
    })
  }
})
`,
}

const timeout = 120_000 + count * 60_000

test.for([
  ['none fails, none sees what another did', alone],
  ['each has its NICs on three networks', onNetworks],
] as const)(`${count} Pis, ${atOnce} at a time: %s, nothing is left`, { timeout }, async ([, files]) => {
  using project = new Project({ files, options: `maxPis: ${atOnce}` })
  const run = project.vitest([`--maxConcurrency=${atOnce}`])
  const { code, output } = await run.finished(timeout - 20_000)
  expect(output).toMatch(new RegExp(`Tests +${count} passed`))
  expect(code).toBe(0)
  expect(run.processes()).toEqual([])
  expect(project.leftovers()).toEqual([])
})
