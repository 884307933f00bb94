import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listImages } from '../../src/freeze/cached-images.ts'
import { defaultCacheDir } from '../../src/host/paths.ts'
import { ImageServer } from '../support/image-server.ts'
import { Project } from '../support/project.ts'
import { makeRaspiosLike } from '../support/raspios-like.ts'

const files = {
  'motd.yml': `
- hosts: all
  become: true
  tasks:
    - ansible.builtin.copy: { dest: /etc/motd, content: "tested\\n", mode: "0644" }
`,
  'a.test.ts': `
import { expect, test } from 'vitest-raspi'
test('a playbook runs', async ({ pi, ansible }) => {
  expect(pi.connection.user).toBe('pi')
  expect(await ansible.playbook('motd.yml')).toSucceed()
  await expect(pi).toHaveFile('/etc/motd', { content: 'tested\\n' })
  expect(await ansible.playbook('motd.yml')).toBeIdempotent()
  const root = await pi.run("df --output=size -B1 / | tail -n 1; findmnt -no SOURCE /boot/firmware; cat /proc/cmdline")
  const [size, boot, commandLine] = root.stdout.split('\\n')
  expect(Number(size)).toBeGreaterThan(3e9)
  expect(boot).toBe('/dev/mmcblk0p1')
  expect(commandLine).not.toMatch(/resize/)
  await expect(pi).toHaveNoFailedUnits()
  expect((await pi.run('systemctl is-enabled userconfig rpi-resize || true')).stdout).toBe('masked\\nmasked\\n')
})`,
}

test('an image of Raspberry Pi OS’s layout is pulled, verified, set up, booted and tested, from nothing but its URL', {
  timeout: 900_000,
}, async () => {
  const [built] = (await listImages(defaultCacheDir())).filter(({ name }) => name === 'debian-12-arm64')
  if (!built) throw new Error('The cache has no image to make one of: run another system test first.')
  await using server = await ImageServer.start()
  using project = new Project({ files, options: `image: '${server.url}/2026-09-15-like.img.xz'` })
  const image = await makeRaspiosLike(join(built.dir, 'card.raw'), project.root)
  execFileSync('xz', ['-0', '-T0', image])
  const sum = createHash('sha256')
    .update(readFileSync(`${image}.xz`))
    .digest('hex')
  server.disk.set('/2026-09-15-like.img.xz', `${image}.xz`)
  server.files.set('/2026-09-15-like.img.xz.sha256', {
    body: Buffer.from(`${sum}  2026-09-15-like.img.xz\n`),
  })

  const cacheDir = join(project.root, 'cache')
  const { output, code } = await project.vitest([], { VITEST_RASPI_CACHE: cacheDir }).finished(800_000)
  expect(output).toContain('1 passed')
  expect(code).toBe(0)
  expect(server.count('/2026-09-15-like.img.xz')).toBe(1)

  // One flipped byte of the card is found.
  const verify = () => {
    const cli = join(project.dir, 'node_modules/vitest-raspi/dist/cli/main.js')
    const args = [cli, 'image', 'verify', '--json', '--cache-dir', cacheDir]
    return JSON.parse(spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout)
  }
  expect(verify()).toMatchObject({ ok: true })
  const [pulled] = await listImages(cacheDir)
  const card = join(pulled?.dir ?? '', 'card.raw')
  chmodSync(card, 0o600)
  const file = openSync(card, 'r+')
  writeSync(file, 'x', 3e9)
  closeSync(file)
  expect(verify()).toMatchObject({
    ok: false,
    files: expect.arrayContaining([expect.objectContaining({ path: card, status: 'damaged' })]),
  })
})
