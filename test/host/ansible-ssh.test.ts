import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ssh2 from 'ssh2'
import { test as base, expect } from 'vitest'
import { Ansible } from '../../src/ansible/ansible.ts'
import type { AnsibleTarget } from '../../src/ansible/inventory.ts'
import { newHostKey } from '../../src/freeze/identity.ts'

// The real ansible-playbook and ssh, with an ssh server of this test in the place of a Pi's.

const projectDir = fileURLToPath(new URL('../fixtures/ansible/everything', import.meta.url))

interface StandIn {
  target: AnsibleTarget
  /** How often somebody has logged in. */
  logins: number
}

const test = base.extend<{ dir: string; standIn: StandIn }>({
  // With a blank and a percent sign, which ssh takes for something else.
  dir: async ({}, use) => {
    const dir = mkdtempSync(join(tmpdir(), 'raspi 100% '))
    await use(dir)
    rmSync(dir, { recursive: true })
  },
  standIn: async ({ dir }, use) => {
    const hostKey = newHostKey('a host')
    const userKey = newHostKey('a user')
    const children = new Set<ChildProcess>()
    const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
      client.on('error', () => {})
      client.on('authentication', (context) => {
        if (context.method === 'publickey') context.accept()
        else context.reject(['publickey'])
      })
      client.on('ready', () => {
        standIn.logins++
        client.on('session', (acceptSession) => {
          const session = acceptSession()
          session.on('pty', (accept) => accept?.())
          session.on('exec', (acceptExec, _reject, { command }) => {
            const channel = acceptExec()
            const child = spawn('sh', ['-c', command])
            children.add(child)
            channel.pipe(child.stdin)
            child.stdout.pipe(channel, { end: false })
            child.stderr.pipe(channel.stderr, { end: false })
            child.on('close', (code) => {
              children.delete(child)
              channel.exit(code ?? 1)
              channel.end()
            })
          })
        })
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    writeFileSync(join(dir, 'key'), userKey.private, { mode: 0o600 })
    writeFileSync(join(dir, 'known_hosts'), `[127.0.0.1]:${port} ${hostKey.public}\n`)
    const standIn: StandIn = {
      target: {
        name: 'pi',
        host: '127.0.0.1',
        port,
        user: 'pi',
        privateKeyFile: join(dir, 'key'),
        knownHostsFile: join(dir, 'known_hosts'),
        groups: ['web'],
        // The stand-in has no SFTP.
        vars: { ansible_ssh_transfer_method: 'piped' },
      },
      logins: 0,
    }
    await use(standIn)
    for (const child of children) child.kill()
    server.close()
  },
})

function ansible(dir: string, target: AnsibleTarget): Ansible {
  return new Ansible({ projectDir, runDir: dir, targets: [target], timeoutMs: 240_000, log: () => {} })
}

test('a playbook runs over one ssh connection, with files transferred or not', async ({ dir, standIn }) => {
  const run = await ansible(dir, standIn.target).playbook('vars.yml', { extraVars: { dir }, tags: 'file' })
  expect(run).toMatchObject({ ok: true, stats: { pi: { ok: 1, changed: 1 } } })
  const again = await ansible(dir, standIn.target).playbook('ping.yml')
  expect(again).toMatchObject({ ok: true, warnings: [] })
  expect(standIn.logins).toBe(2)
})

test('a host key that is not the one the Pi was leased with is an error', async ({ dir, standIn }) => {
  const other = newHostKey('another').public
  writeFileSync(standIn.target.knownHostsFile, `[127.0.0.1]:${standIn.target.port} ${other}\n`)
  await expect(ansible(dir, standIn.target).playbook('ping.yml')).rejects.toThrow(
    'The Pi showed another host key than it was leased with.',
  )
  expect(standIn.logins).toBe(0)
})

test('an ansible.cfg that relaxes host keys or goes through a bastion, as many do, is no hindrance', async ({
  dir,
  standIn,
}) => {
  writeFileSync(
    join(dir, 'ansible.cfg'),
    '[defaults]\nhost_key_checking = false\n[ssh_connection]\nssh_args = -o UserKnownHostsFile=/dev/null\nssh_extra_args = -J bastion.invalid\n',
  )
  const own = new Ansible({
    projectDir,
    runDir: dir,
    targets: [standIn.target],
    timeoutMs: 240_000,
    log: () => {},
  })
  const run = await own.playbook('ping.yml', { env: { ANSIBLE_CONFIG: join(dir, 'ansible.cfg') } })
  expect(run.ok).toBe(true)
})

test('a Pi that accepts connections and says nothing is an error in the end', async ({ dir, standIn }) => {
  const silent = createTcpServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const vars = { ansible_ssh_timeout: 1 }
  await expect(ansible(dir, { ...standIn.target, port, vars }).playbook('ping.yml')).rejects.toThrow(
    /^pi could not be reached at TASK \[Say nothing\]/,
  )
  silent.close()
})
