import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { AnsibleRun } from '../../src/ansible/run.ts'
import { isRaspiError } from '../../src/errors.ts'
import { test } from '../support/local-ansible.ts'

// Ansible through Mitogen on this host, and the same without it.

const outline = ({ tasks }: AnsibleRun) =>
  tasks.map(({ name, status, path, line, items, delegatedTo, attempts }) => {
    return { name, status, path, line, delegatedTo, attempts, items: items.map((item) => item.status) }
  })

const which = `- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "{{ lookup('config', 'DEFAULT_STRATEGY') }}"
`

test('through Mitogen a playbook does the same', async ({ ansible, dir, skip }) => {
  const [one, two] = [join(dir, 'one'), join(dir, 'two')]
  for (const made of [one, two]) mkdirSync(made)
  const plain = await ansible('everything').playbook('site.yml', { extraVars: { dir: one } })
  try {
    const project = ansible('everything', { accelerate: 'mitogen' })
    const faster = await project.playbook('site.yml', { extraVars: { dir: two } })
    expect(outline(faster)).toEqual(outline(plain))
    expect(faster.ok).toBe(true)
    const projectDir = join(dir, 'project')
    mkdirSync(projectDir)
    writeFileSync(join(projectDir, 'site.yml'), which)
    const told = await ansible(projectDir, { accelerate: 'mitogen' }).playbook('site.yml')
    expect(told.tasks[0]?.result.msg).toBe('mitogen_linear')
    await expect(
      ansible('everything', { accelerate: 'mitogen', timeoutMs: 8_000 }).playbook('slow.yml'),
    ).rejects.toThrow('slow.yml was still at work')
  } catch (error) {
    if (isRaspiError(error) && /^Mitogen (is not there|does not work)/.test(error.message))
      skip(`${error.message}: what it changes was not looked at`)
    throw error
  }
  const { stdout } = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
  expect(stdout.split('\n').filter((line) => line.includes(dir))).toEqual([])
})
