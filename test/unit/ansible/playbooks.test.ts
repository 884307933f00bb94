import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { findPlaybook } from '../../../src/ansible/playbooks.ts'

const project = fileURLToPath(new URL('../../fixtures/ansible/broken', import.meta.url))

test('a playbook that exists is fine', () => {
  expect(() => findPlaybook('role.yml', project)).not.toThrow()
})

test('a playbook that does not exist is an error that names those nearby, and no other YAML file', () => {
  expect(() => findPlaybook('rolle.yml', project)).toThrow(
    `The playbook rolle.yml does not exist: there is no ${project}/rolle.yml
  Playbooks nearby: included-role.yml, module.yml, role.yml, syntax.yml.`,
  )
})

test('a directory is no playbook', () => {
  expect(() => findPlaybook('.', project)).toThrow('The playbook . is a directory')
})

test('a playbook of a collection is left to Ansible', () => {
  expect(() => findPlaybook('community.general.site', project)).not.toThrow()
  expect(() => findPlaybook('site.prod.yml', project)).toThrow('does not exist')
})
