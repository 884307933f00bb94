import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type Dockerode from 'dockerode'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { type DockerClient, dockerode } from '../../../../src/engine/docker/client.ts'
import { startContainer } from '../../../../src/engine/docker/container.ts'
import { scratchDir } from '../../../support/scratch-dir.ts'

afterEach(() => void vi.restoreAllMocks())

/** An engine whose containers are used by `steps`. */
function engineWith(steps: Partial<Record<'attach' | 'start' | 'remove', () => Promise<unknown>>> = {}) {
  const lifeline = new PassThrough()
  const container = { attach: async () => lifeline, start: async () => {}, remove: async () => {}, ...steps }
  const remove = vi.spyOn(container, 'remove')
  const docker = { createContainer: async () => container } as unknown as Dockerode
  return { client: { docker, name: 'X' } as DockerClient, lifeline, remove }
}

const fails = async () => {
  throw new Error('no room')
}

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
