import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { AnsibleProject } from '../support/ansible-project.ts'

// What a user may not enter root may, but for these capabilities.
const asUser = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : []
const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url))

const look = `
import { readConfig } from '${source('ansible/config.ts')}'
import { inputsOf } from '${source('prepare/inputs.ts')}'
import { placesOf } from '${source('prepare/places.ts')}'
const [dir, closed] = process.argv.slice(1)
const env = { ...process.env, ANSIBLE_CONFIG: closed + '/ansible.cfg' }
await readConfig('ansible-playbook', { cwd: dir, env })
const paths = { DEFAULT_ROLES_PATH: [closed, closed + '/roles'] }
const places = placesOf('site.yml', dir, { value: (name) => paths[name], isSet: () => false })
console.log(JSON.stringify(Object.keys(await inputsOf(places, dir))))
`

test('a directory that may not be entered is as one that is not there', { timeout: 60_000 }, () => {
  using project = new AnsibleProject({
    'site.yml': '[]\n',
    'files/plain': '',
    'files/closed/key': '',
    '../etc/roles/web/tasks/main.yml': '',
  })
  const closed = [join(project.root, 'etc'), join(project.dir, 'files/closed')]
  for (const dir of closed) chmodSync(dir, 0)
  const node = [process.execPath, '--input-type=module', '--eval', look, project.dir, closed[0] ?? '']
  const [file = '', ...args] = [...asUser, ...node]
  const said = execFileSync(file, args, { encoding: 'utf8' })
  for (const dir of closed) chmodSync(dir, 0o700)
  expect(JSON.parse(said)).toEqual(['files/plain', 'site.yml'])
})
