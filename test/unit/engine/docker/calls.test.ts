import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { withDeadlines } from '../../../../src/engine/docker/calls.ts'
import { dockerode } from '../../../../src/engine/docker/client.ts'
import { startContainer } from '../../../../src/engine/docker/container.ts'
import { DockerEngine } from '../../../../src/engine/docker/docker-engine.ts'
import type { PiSource } from '../../../../src/engine/engine.ts'
import type { FrozenPi } from '../../../../src/freeze/store.ts'
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

/** An engine that a run has, which ends while the engine goes on with `call` for ever. */
async function interruptedAt(call: RegExp, options: FakeDockerOptions, image?: string) {
  const { address, calls } = await fakeDocker({ endless: call, ...options })
  const stop = new AbortController()
  const context = { address, image, cacheDir: scratchDir(), log: () => {}, signal: stop.signal }
  const work = DockerEngine.connect(context).then((engine) =>
    engine.publish({ container: 'frozen' } as FrozenPi, 'r.example/pis:1', true),
  )
  work.catch(() => {})
  await expect.poll(() => calls.some((made) => call.test(made))).toBe(true)
  await delay(20)
  stop.abort(new Error('Ctrl-C'))
  return work
}

test.for<[string, RegExp, FakeDockerOptions, string?]>([
  ['pulled', /POST \/images\/create/, { lacks: /GET \/images\/.*\/json/ }, 'mine'],
  ['built', /POST \/build/, { lacks: /GET \/images\/.*\/json/ }],
  ['pushed', /POST .*\/push/, {}],
])('an image that is being %s when the run ends is let go', async ([, call, options, image]) => {
  await expect(interruptedAt(call, options, image)).rejects.toThrow('Ctrl-C')
})

test.for([/GET \/version/, /GET \/containers\/json/, /POST \/exec\/it\/start/])(
  'so is a connection that is being made, at %s',
  async (silent) => {
    await expect(interruptedAt(silent, { silent })).rejects.toThrow('Ctrl-C')
  },
)

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
