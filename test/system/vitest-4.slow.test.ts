import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { Project } from '../support/project.ts'

const lockedVitest4 = fileURLToPath(new URL('../vitest-4', import.meta.url))

test('a Pi and a playbook on the oldest Vitest that is supported', { timeout: 600_000 }, async ({
  onTestFinished,
}) => {
  const vitest4 = mkdtempSync(join(tmpdir(), 'vitest-4-'))
  onTestFinished(() => rmSync(vitest4, { recursive: true }))
  const project = new Project({
    vitestFrom: join(vitest4, 'node_modules'),
    files: {
      'site.yml': `
- name: A file on every Pi
  hosts: all
  become: true
  gather_facts: false
  tasks:
    - name: Say that it is tested
      ansible.builtin.copy: { dest: /etc/motd, content: tested, mode: "0644" }
`,
      'a.test.ts': `
import { expect, raspiTest, test } from 'vitest-raspi'
test('a playbook', async ({ pi, ansible }) => {
  expect(await ansible.playbook('site.yml')).toSucceed()
  await expect(pi).toHaveFile('/etc/motd', { contains: 'tested' })
  expect(await ansible.playbook('site.yml')).toBeIdempotent()
})
test('another Pi', async ({ pi }) => {
  await expect(pi).not.toHaveFile('/etc/motd', { contains: 'tested' })
})
const shared = raspiTest({ scope: 'file' })
shared('a Pi of the file', async ({ pi }) => {
  await pi.writeFile('/etc/mark', 'one')
})
shared('is the same in its next test', async ({ pi }) => {
  expect(await pi.readFile('/etc/mark')).toBe('one')
})`,
    },
  })
  onTestFinished(() => project[Symbol.dispose]())
  cpSync(lockedVitest4, vitest4, {
    recursive: true,
    filter: (path) => !path.startsWith(join(lockedVitest4, 'node_modules')),
  })
  await execa('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: vitest4,
    timeout: 180_000,
  })
  // Other commands ask this Vitest what its configuration says.
  project.write({
    'other.config.mts':
      "import { raspi } from 'vitest-raspi/plugin'\nexport default { plugins: [raspi({ board: 'virt' })] }\n",
  })
  const main = join(project.dir, 'node_modules/vitest-raspi/dist/cli/main.js')
  const asked = await execa(process.execPath, [main, 'cache-key', '--config', 'other.config.mts'], {
    cwd: project.dir,
  })
  expect(asked.stderr).toBe('From other.config.mts: board virt (1024 MiB, 2 cores).')
  const { code, output } = await project.vitest().finished(400_000)
  expect(output).toMatch(/RUN +v4\.1\./)
  expect(output).toContain('4 passed')
  expect(code).toBe(0)
})
