import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type Dockerode from 'dockerode'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { type DockerClient, dockerode } from '../../../../src/engine/docker/client.ts'
import { startContainer } from '../../../../src/engine/docker/container.ts'
import { ownerLabels } from '../../../../src/engine/docker/owner.ts'
import { scratchDir } from '../../../support/scratch-dir.ts'

afterEach(() => void vi.restoreAllMocks())

/** An engine whose containers are used by `steps`. */
function engineWith(steps: Partial<Record<'attach' | 'start' | 'remove', () => Promise<unknown>>> = {}) {
  const lifeline = new PassThrough()
  const container = { attach: async () => lifeline, start: async () => {}, remove: async () => {}, ...steps }
  const remove = vi.spyOn(container, 'remove')
  const create = vi.fn(async (_: Dockerode.ContainerCreateOptions) => container)
  const docker = { createContainer: create } as unknown as Dockerode
  return { client: { docker, name: 'X' } as DockerClient, lifeline, remove, create }
}

const fails = async () => {
  throw new Error('no room')
}

const plainly = { AutoRemove: true, CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] }

test('a container has nothing of its host, no port and no privilege', async () => {
  const { client, create } = engineWith()
  await startContainer(client, 'qemu', { labels: { mine: 'yes' } })
  expect(create.mock.calls).toEqual([
    [
      {
        ...{ Image: 'qemu', Entrypoint: ['cat'], Labels: { ...ownerLabels(), mine: 'yes' } },
        ...{ OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: false, AttachStderr: false },
        HostConfig: plainly,
      },
    ],
  ])
})

test('but for what it is given', async () => {
  const { client, create } = engineWith()
  const mounts = [{ path: '/project' }, { path: '/ours', readOnly: true }]
  await startContainer(client, 'ansible', { mounts, capabilities: ['CHOWN'], groups: [100] })
  expect(create.mock.calls[0]?.[0].HostConfig).toEqual({
    ...plainly,
    ...{ CapAdd: ['CHOWN'], GroupAdd: ['100'] },
    Mounts: [
      { Type: 'bind', Source: '/project', Target: '/project', ReadOnly: false },
      { Type: 'bind', Source: '/ours', Target: '/ours', ReadOnly: true },
    ],
  })
})

test('a container is removed by its end, and its connection closed', async () => {
  const { client, lifeline, remove } = engineWith()
  const { end } = await startContainer(client, 'qemu')
  expect(remove).not.toHaveBeenCalled()
  await end()
  expect(remove).toHaveBeenCalledOnce()
  expect(lifeline.destroyed).toBe(true)
})

test('one that cannot be started is removed, and its connection closed', async () => {
  const { client, lifeline, remove } = engineWith({ start: fails })
  await expect(startContainer(client, 'qemu')).rejects.toThrow(
    'X could not start a container of qemu: no room',
  )
  expect(remove).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ force: true, v: true }))
  expect(lifeline.destroyed).toBe(true)
})

test('one that cannot be connected to is removed', async () => {
  const { client, remove } = engineWith({ attach: fails })
  await expect(startContainer(client, 'qemu')).rejects.toThrow('no room')
  expect(remove).toHaveBeenCalledOnce()
})

test('one that cannot be made is none', async () => {
  const docker = { createContainer: fails } as unknown as Dockerode
  await expect(startContainer({ docker, name: 'X' } as DockerClient, 'qemu')).rejects.toThrow('no room')
})

test('an engine that hangs keeps nobody waiting for the end of a container', async () => {
  const server = createServer(() => {})
  const socketPath = join(scratchDir(), 'd.sock')
  server.listen(socketPath)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { client, lifeline } = engineWith()
  const hanging = new (dockerode())({ socketPath }).getContainer('it')
  const { end } = await startContainer(client, 'qemu')
  const made = (await client.docker.createContainer({})) as Dockerode.Container
  made.remove = hanging.remove.bind(hanging)
  vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort())
  await end()
  expect(lifeline.destroyed).toBe(true)
})
