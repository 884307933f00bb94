import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { connectDocker } from '../../../../src/engine/docker/client.ts'
import { scratchDir } from '../../../support/scratch-dir.ts'

/** An engine that tells this version. */
async function engine(version: { Version: string; ApiVersion: string }) {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.url?.endsWith('/version') ? version : { NCPU: 4, MemTotal: 1e10 }))
  })
  const socket = join(scratchDir(), 'd.sock')
  server.listen(socket)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `unix://${socket}`
}

test('an engine tells what there is room for', async () => {
  const address = await engine({ Version: '28.1', ApiVersion: '1.49' })
  expect(await connectDocker(address)).toMatchObject({
    ...{ name: `the Docker engine ${address}`, cores: 4, memory: 1e10 },
  })
})

test('one that is too old is refused', async () => {
  const address = await engine({ Version: '19.03.15', ApiVersion: '1.40' })
  await expect(connectDocker(address)).rejects.toThrow(
    `Pis cannot run on the Docker engine ${address}: it is 19.03.15, and too old.`,
  )
})

test('without Testcontainers it is said how to install it', async () => {
  vi.doMock('testcontainers', () => {
    throw new Error("Cannot find package 'testcontainers'")
  })
  onTestFinished(() => void vi.doUnmock('testcontainers'))
  await expect(connectDocker('unix:///nowhere/docker.sock')).rejects.toThrow(
    'Pis in containers cannot be had without the package testcontainers, which cannot be loaded.\n  Install it: npm install --save-dev testcontainers@^12',
  )
})

test('where none answers, that is said with what to do', async () => {
  await expect(connectDocker('unix:///nowhere/docker.sock')).rejects.toThrow(
    /^Pis cannot run in containers, because the Docker engine unix:\/\/\/nowhere\/docker\.sock does not answer: .*ENOENT.*\n.*DOCKER_HOST/,
  )
})
