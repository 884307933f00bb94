import { RaspiError } from '../errors.ts'
import type { Log } from '../host/progress.ts'
import { withAccount, withRenamedUser } from './account.ts'
import { bootMountOf, dividedFiles } from './boot-mount.ts'
import { type PartFs, readText, withPart } from './card-edit.ts'
import {
  bootPartFiles,
  firstBootUnits,
  type InitFormat,
  type Login,
  settledCommandLine,
} from './first-boot.ts'
import { GuestRoot } from './guest-root.ts'
import type { Part } from './parts.ts'
import type { GuestFile } from './recipe.ts'
import { writeBootFiles } from './write-boot-files.ts'

/** What is done to a downloaded image, once. */
export interface Customisation extends Login {
  /** Absent: what the boot part shows. */
  initFormat?: string | undefined
  boot: Part
  /** A directory that is not there yet, for files on their way to the boot part. */
  dir: string
  /** The host keys and what the user wants to have put. */
  files: GuestFile[]
}

const units = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system']

/**
 * Makes the raw image `card` one that a test can have: `user` logs in by its key and has sudo, sshd starts with host
 * keys that are known, and what a first boot does is behind it. Only the files of both parts are written; nothing is
 * mounted. Throws a `RaspiError` where the image is none that can be logged in to.
 */
export async function customise(name: string, card: string, wish: Customisation, log: Log): Promise<void> {
  const format = await withPart(card, 1, 'read', (fs) => initFormat(fs, wish.initFormat))
  const ownBootFiles = await withPart(card, 2, 'write', async (fs) => {
    const root = new GuestRoot(fs)
    const service = await findUnit(root, ['ssh.service', 'sshd.service'])
    if (!service)
      throw new RaspiError('image', `Image ${name} cannot be logged in to: it has no OpenSSH server.`, {
        hint: 'Take an image with openssh-server, as Raspberry Pi OS has it.',
      })
    if (!(await root.exists('/usr/bin/sudo')))
      log(`Image ${name}: it has no sudo, so playbooks that become root will fail on it`)
    await enable(root, service)
    await mask(root)
    await letIn(root, wish)
    const files = dividedFiles(wish.files, bootMountOf(await root.read('/etc/fstab')))
    for (const { path, mode = '0644', text } of files.root)
      await root.write(path, text, Number.parseInt(mode, 8))
    return files.boot
  })
  const commandLine = await withPart(card, 1, 'read', (fs) => readText(fs, '/cmdline.txt'))
  const bootFiles = {
    ...(commandLine === undefined ? {} : { 'cmdline.txt': settledCommandLine(commandLine) }),
    ...bootPartFiles(format, wish),
    ...ownBootFiles,
  }
  await writeBootFiles(name, card, wish.boot, bootFiles, wish.dir)
}

async function initFormat(fs: PartFs, given: string | undefined): Promise<InitFormat> {
  if (given?.startsWith('cloudinit')) return 'cloudinit'
  if (given === 'none' || given === 'systemd') return given
  const names = (await fs.readdir('/')).map((file) => file.toLowerCase())
  if (names.includes('user-data') || names.includes('meta-data')) return 'cloudinit'
  return names.includes('issue.txt') ? 'systemd' : 'none'
}

async function findUnit(
  root: GuestRoot,
  names: string[],
): Promise<{ name: string; path: string } | undefined> {
  for (const name of names)
    for (const dir of units) {
      const path = `${dir}/${name}`
      if ((await root.exists(path)) && (await root.linkOf(path)) !== '/dev/null') return { name, path }
    }
  return undefined
}

/** What `systemctl enable` would do, and `unmask` before it. */
async function enable(root: GuestRoot, { name, path }: { name: string; path: string }): Promise<void> {
  const own = `/etc/systemd/system/${name}`
  if ((await root.linkOf(own)) === '/dev/null') await root.remove(own)
  await root.link(path, `/etc/systemd/system/multi-user.target.wants/${name}`)
}

async function mask(root: GuestRoot): Promise<void> {
  for (const name of firstBootUnits) {
    const there =
      (await findUnit(root, [name])) ?? (await root.exists(`/etc/init.d/${name.replace('.service', '')}`))
    if (there) await root.link('/dev/null', `/etc/systemd/system/${name}`)
  }
}

async function letIn(root: GuestRoot, { user, publicKey }: Login): Promise<void> {
  const [passwd, shadow, group] = await Promise.all(
    ['passwd', 'shadow', 'group'].map((file) => root.read(`/etc/${file}`)),
  )
  const { files, uid, gid, home, movedFrom, renamedFrom } = withAccount(user, {
    passwd: passwd ?? '',
    shadow: shadow ?? '',
    group: group ?? '',
  })
  for (const [file, text] of Object.entries(files)) await root.write(`/etc/${file}`, text)
  for (const path of ['/etc/gshadow', '/etc/subuid', '/etc/subgid']) {
    const text = renamedFrom && (await root.read(path))
    if (text) await root.write(path, withRenamedUser(text, renamedFrom, user))
  }
  if (movedFrom && (await root.exists(movedFrom))) await root.move(movedFrom, home)
  await root.makeDir(home, { mode: 0o755, uid, gid })
  await root.makeDir(`${home}/.ssh`, { mode: 0o700, uid, gid })
  const keysFile = `${home}/.ssh/authorized_keys`
  const keys = (await root.read(keysFile)) ?? ''
  const own = keys === '' || keys.endsWith('\n') ? keys : `${keys}\n`
  await root.write(keysFile, `${own}${publicKey}\n`, 0o600, { uid, gid })
  // The last one that matches counts (sudoers(5)), so its name is the last, too.
  await root.write('/etc/sudoers.d/zz-vitest-raspi', `${user} ALL=(ALL) NOPASSWD: ALL\n`, 0o440)
}
