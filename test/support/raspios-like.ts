import { rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { readText, withPart } from '../../src/image/card-edit.ts'
import { GuestRoot } from '../../src/image/guest-root.ts'
import { readCardParts } from '../../src/image/parts.ts'

const PATH = `${process.env.PATH}:/usr/sbin:/sbin`
const MiB = 2 ** 20

/**
 * Makes of a card that we have built what Raspberry Pi OS would be as it is downloaded, in `dir`: its root part as small
 * as can be, a user that nobody can log in as, no host keys, no ssh, a wizard and a reboot in its first boot. Gives the
 * path of the raw image.
 */
export async function makeRaspiosLike(card: string, dir: string): Promise<string> {
  const image = join(dir, 'raspios.img')
  const own = join(dir, 'root.img')
  const { root } = await readCardParts('built', card)
  const part = `driver=raw,offset=${root.offset},size=${root.size},file.filename=${card}`
  await run('qemu-img', ['convert', '--image-opts', part, '-O', 'raw', own])
  await run('e2fsck', ['-fp', own])
  await run('resize2fs', ['-M', own])
  const rootBytes = Math.ceil((await stat(own)).size / MiB) * MiB
  await truncate(own, rootBytes)

  await run('qemu-img', [
    'dd',
    '-f',
    'raw',
    '-O',
    'raw',
    `bs=${MiB}`,
    `count=${root.offset / MiB}`,
    `if=${card}`,
    `of=${image}`,
  ])
  await truncate(image, root.offset + rootBytes)
  const place = `driver=raw,offset=${root.offset},size=${rootBytes},file.filename=${image}`
  await run('qemu-img', ['convert', '-f', 'raw', '-n', '--target-is-zero', '--target-image-opts', own, place])
  await rm(own)
  await execa('sfdisk', ['--quiet', '--no-reread', '-N', '2', image], {
    env: { PATH },
    input: `start=${root.offset / 512}, size=${rootBytes / 512}, type=83\n`,
  })

  await withPart(image, 2, 'write', async (fs) => {
    const guest = new GuestRoot(fs)
    for (const file of await fs.readdir('/etc/ssh'))
      if (/^ssh_host_/.test(file)) await guest.remove(`/etc/ssh/${file}`)
    await guest.remove('/home/pi/.ssh/authorized_keys')
    await guest.remove('/etc/sudoers.d/010_pi-nopasswd')
    await guest.remove('/etc/systemd/system/multi-user.target.wants/ssh.service')
    const edit = async (path: string, from: RegExp, to: string) =>
      guest.write(path, ((await guest.read(path)) ?? '').replace(from, to))
    await edit('/etc/passwd', /^(pi:.*):\/bin\/bash$/m, '$1:/usr/sbin/nologin')
    await edit('/etc/shadow', /^pi:[^:]*:\d*:/m, 'pi:!:0:')
    // What nobody should see: a boot that waits for a user, or begins again.
    const unit = (command: string) =>
      `[Unit]\nBefore=multi-user.target\n[Service]\nType=oneshot\nExecStart=${command}\n`
    const units = {
      userconfig: '/bin/sleep infinity',
      'rpi-resize': '/bin/systemctl reboot',
      regenerate_ssh_host_keys: '/bin/rm -f /etc/ssh/ssh_host_ed25519_key',
    }
    for (const [name, command] of Object.entries(units)) {
      await guest.write(`/usr/lib/systemd/system/${name}.service`, unit(command))
      await guest.link(
        `/usr/lib/systemd/system/${name}.service`,
        `/etc/systemd/system/multi-user.target.wants/${name}.service`,
      )
    }
  })
  await withPart(image, 1, 'write', async (fs) => {
    await fs.writeFile('/cmdline.txt', `${(await readText(fs, '/cmdline.txt'))?.trim()} resize\n`)
    await fs.writeFile('/issue.txt', 'Raspberry Pi reference 2026-09-15\n')
  })
  return image
}

function run(program: string, args: string[]) {
  return execa(program, args, { env: { PATH }, stdin: 'ignore' })
}
