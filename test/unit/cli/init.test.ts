import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { fakeHost } from '../host/fake-host.ts'
import { ansibleThatKnows, repositoryOf } from '../init/repositories.ts'
import { run } from './run.ts'

const files = { 'site.yml': '- hosts: web\n', 'inventory/hosts.ini': '[web]\nweb1\n' }

/** What `init` says in `dir`, with the Ansible of `env`. */
function init(dir: string, env: NodeJS.ProcessEnv) {
  vi.spyOn(process, 'cwd').mockReturnValue(dir)
  onTestFinished(() => void vi.restoreAllMocks())
  return run(['init'], { ...fakeHost().context, env })
}

test('init tells what it has made, for whom, and what comes next', async () => {
  const dir = repositoryOf(files)
  const { exitCode, out, err } = await init(dir, ansibleThatKnows({ web1: ['web'] }, 'site'))
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
  expect(out).toMatch(/^Testing site\.yml on web1 of inventory\/hosts\.ini\.\n {2}made {2}package\.json\n/)
  expect(out).toContain('Next:\n  npm install\n  npx vitest-raspi doctor --fix\n  npx vitest run')
  expect(existsSync(join(dir, 'test/site.test.ts'))).toBe(true)
})

const sealed = () => ansibleThatKnows({}, 'site', {}, 'Attempting to decrypt but no vault secrets found')

test.for([
  [
    'its vault has no password',
    sealed,
    /^The test is not for the hosts of inventory\/hosts\.ini\. .* no vault secrets found\.\n {2}Name the file with its password: /,
  ],
  [
    'Ansible is missing',
    () => ({ PATH: '' }),
    /^The test is not for the hosts of inventory\/hosts\.ini\. ansible-playbook was not found: .*\n {2}Install it: `npx vitest-raspi doctor --fix`/,
  ],
] as const)('an inventory that cannot be read, because %s, is told', async ([, env, message]) => {
  const found = await init(repositoryOf(files), env())
  expect(found.err).toMatch(message)
  expect(found.out).toMatch(/^Testing site\.yml on pi\.\n/)
  expect(found.out).toContain(
    'once Ansible can read inventory/hosts.ini: remove test/site.test.ts, and npx vitest-raspi init again',
  )
})

test('without an inventory it needs no Ansible, unless ansible.cfg may name one', async () => {
  const { 'inventory/hosts.ini': _, ...bare } = files
  expect((await init(repositoryOf(bare), { PATH: '' })).err).toBe('')
  const configured = repositoryOf({ ...bare, 'ansible.cfg': '[defaults]\ninventory = stage\n' })
  expect((await init(configured, { PATH: '' })).err).toMatch(
    /^The test is not for the hosts of an inventory\. /,
  )
  // It is there already, and stays.
  const tested = repositoryOf({ ...files, 'test/site.test.ts': '// mine' })
  expect((await init(tested, sealed())).out).not.toContain('again')
})
