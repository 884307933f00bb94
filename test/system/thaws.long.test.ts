import { test as base, expect } from 'vitest'
import { Project } from '../support/project.ts'

// Many thaws at the same time. VITEST_RASPI_THAWS=200 is what a release is tried with; it takes half an hour.

const count = Number(process.env.VITEST_RASPI_THAWS ?? 8)
const atOnce = 4

const files = {
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

const test = base.extend('project', async ({}, { onCleanup }) => {
  const project = new Project({ files, options: `maxPis: ${atOnce}` })
  onCleanup(() => project[Symbol.dispose]())
  return project
})

test(`${count} Pis, ${atOnce} at a time: none fails, none sees what another did, nothing is left`, {
  timeout: 120_000 + count * 60_000,
}, async ({ project }) => {
  const run = project.vitest([`--maxConcurrency=${atOnce}`])
  const { code, output } = await run.finished(100_000 + count * 60_000)
  expect(output).toMatch(new RegExp(`Tests +${count} passed`))
  expect(code).toBe(0)
  expect(run.processes()).toEqual([])
  expect(project.leftovers()).toEqual([])
})
