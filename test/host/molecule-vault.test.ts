import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { readInventory } from '../../src/ansible/user-inventory.ts'
import { vaultArgumentsOf } from '../../src/molecule/playbook-options.ts'
import { readScenario } from '../../src/molecule/scenario.ts'
import { surround } from '../../src/molecule/surroundings.ts'
import { AnsibleProject } from '../support/ansible-project.ts'

// The real ansible-inventory. Its arguments are those that the scenario has for ansible-playbook.

test('the inventory of a scenario whose group_vars are a vault is read', { timeout: 60_000 }, async () => {
  using project = new AnsibleProject({
    'molecule/default/molecule.yml': `platforms: [{ name: one }]
provisioner:
  options: { vault-password-file: pass.txt }
  inventory: { links: { group_vars: group_vars } }
`,
    'molecule/default/converge.yml': '- hosts: all\n',
    'molecule/default/pass.txt': 'open sesame\n',
    'molecule/default/group_vars/all.yml': 'plain: one\n',
  })
  const cwd = join(project.dir, 'molecule/default')
  const sealing = ['encrypt', '--vault-password-file=pass.txt', 'group_vars/all.yml']
  await execa('ansible-vault', sealing, { cwd })
  const scenario = readScenario('molecule/default', project.dir)
  const dir = join(project.runDir, 'molecule')
  mkdirSync(dir)
  const { inventory } = surround(scenario, dir)
  const { vars } = await readInventory(inventory, { projectDir: cwd, args: vaultArgumentsOf(scenario) })
  expect(vars.one).toMatchObject({ plain: 'one' })
  await expect(readInventory(inventory, { projectDir: cwd })).rejects.toThrow('no vault secrets')
})
