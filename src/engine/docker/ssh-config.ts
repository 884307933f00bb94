import { execFileSync } from 'node:child_process'
import { messageOf, RaspiError } from '../../errors.ts'

/** Where a host is reached by ssh, and as whom. */
export interface SshTarget {
  host: string
  port?: number | undefined
  user?: string | undefined
}

/**
 * What OpenSSH makes of `target`: ssh_config(5) may give a host another name, a port and a user. `target` as it is where there is
 * no OpenSSH. Throws a `RaspiError` where its configuration cannot be read, or leads there by way of another host.
 */
export function sshTarget({ host, port, user }: SshTarget): SshTarget {
  const wanted = [...(port ? ['-p', String(port)] : []), ...(user ? ['-l', user] : [])]
  let text: string
  try {
    text = execFileSync('ssh', ['-G', ...wanted, '--', host], { encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { host, port, user }
    throw new RaspiError('host', `What ssh is to do for ${host} cannot be told: ${messageOf(error)}`, {
      cause: error,
    })
  }
  const settingOf = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]
  for (const way of ['ProxyJump', 'ProxyCommand']) {
    if ((settingOf(way.toLowerCase()) ?? 'none') === 'none') continue
    throw new RaspiError('options', `The engine on ${host} cannot be used: ssh gets there by a ${way}.`, {
      hint: `Open a way to it, and name that: ssh -N -L /tmp/docker.sock:/var/run/docker.sock ${host}, and unix:///tmp/docker.sock.`,
    })
  }
  return {
    host: settingOf('hostname') ?? host,
    port: Number(settingOf('port')) || port,
    user: settingOf('user') ?? user,
  }
}
