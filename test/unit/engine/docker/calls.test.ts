import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { withDeadlines } from '../../../../src/engine/docker/calls.ts'
import { dockerode } from '../../../../src/engine/docker/client.ts'
import { startContainer } from '../../../../src/engine/docker/container.ts'
import { DockerEngine } from '../../../../src/engine/docker/docker-engine.ts'
import type { PiSource } from '../../../../src/engine/engine.ts'
import { type FakeDockerOptions, fakeDocker } from '../../../support/fake-docker.ts'
import { scratchDir } from '../../../support/scratch-dir.ts'

const patient = new AbortController().signal

/** An engine that is not answered by after 100 ms. */
async function hurried(options: FakeDockerOptions) {
  const { socket: socketPath } = await fakeDocker(options)
  const raw = new (dockerode())({ socketPath, host: undefined, port: undefined, protocol: 'http' })
  return { docker: withDeadlines(raw, 'the Docker engine X', 100), name: 'the Docker engine X' }
}

test('an engine that says nothing is an error that names it and what it was asked', async () => {
  const { docker } = await hurried({ silent: /GET \/containers/ })
  await expect(docker.listContainers({ all: true })).rejects.toThrow(
    'the Docker engine X does not answer: it was asked GET /containers/json, and has said nothing for 0.1 s.\n  An engine that hangs',
  )
  expect(await docker.listImages()).toEqual([])
})

test.for(['POST /containers/create', 'POST /containers/it/attach', 'POST /containers/it/start'])(
  'so it is where a container is started, at %s, as at all that is had by it',
  async (call) => {
    const { docker, name } = await hurried({ silent: new RegExp(call) })
    const client = { docker, name, architecture: '', cores: 1, memory: 0 }
    await expect(startContainer(client, 'qemu', { signal: patient })).rejects.toThrow(
      `${name} does not answer: it was asked ${call}, `,
    )
  },
)

test('what was answered in time goes on for as long as it takes', async () => {
  const { docker } = await hurried({})
  const lifeline = await docker.getContainer('it').attach({ stream: true, stdin: true, hijack: true })
  await delay(200)
  expect(lifeline).toMatchObject({ destroyed: false, closed: false })
})

/** An engine with its container image, of which a Pi is to be opened. */
async function engineOf(options: FakeDockerOptions) {
  const { address, calls } = await fakeDocker(options)
  const context = { address, image: 'x', cacheDir: scratchDir(), log: () => {}, signal: patient }
  const engine = await DockerEngine.connect(context)
  calls.length = 0
  return { engine, calls, source: { frozen: { container: 'y' } } as PiSource }
}

test.for(['POST /containers/create', 'POST /exec/it/start', 'POST /containers/it/exec'])(
  'whoever gives up does not wait for an engine that hangs at %s',
  async (call) => {
    let silent = false
    const silentOnce = { test: (called: string) => silent && called.includes(call) } as RegExp
    const { engine, calls, source } = await engineOf({ silent: silentOnce })
    silent = true
    const stop = new AbortController()
    const opened = engine.open(source, scratchDir(), stop.signal).then((place) => place.qemuImg(['create']))
    await expect.poll(() => calls.some((called) => called.includes(call))).toBe(true)
    stop.abort(new Error('the test is over'))
    await expect(opened).rejects.toThrow('the test is over')
  },
)
