import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ControlNode, rootsOf } from '../../../src/control-node/control-node.ts'
import { ownerLabels } from '../../../src/engine/docker/owner.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

test('Ansible reads the repository that the project is in, and what is named besides', () => {
  const [repository, other] = [scratchDir(), scratchDir()]
  const project = join(repository, 'test/ansible')
  mkdirSync(join(project, 'roles'), { recursive: true })
  expect(rootsOf(project, [other])).toEqual([project, other])
  mkdirSync(join(repository, '.git'))
  expect(rootsOf(project, ['roles', other])).toEqual([repository, other])
})

test('a path that is not there is refused', () => {
  expect(() => rootsOf(scratchDir(), ['/no/such/file'])).toThrow(
    'ansible.paths names /no/such/file, which is not there.',
  )
})

test('without an engine that is said, with the option that names one', async () => {
  const dir = scratchDir()
  await expect(startOn('unix:///nowhere/docker.sock', dir)).rejects.toThrow(
    /^Ansible cannot run in containers, because the Docker engine unix:\/\/\/nowhere\/docker\.sock does not answer: .*ENOENT.*\n.*ansible: \{ container: …, docker: ADDRESS \}/,
  )
})

/** Starts one on the engine that `server` plays. */
async function startAt(server: Server): Promise<ControlNode> {
  const dir = scratchDir()
  server.listen(join(dir, 'd.sock'))
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return startOn(`unix://${dir}/d.sock`, dir)
}

function startOn(docker: string, dir: string): Promise<ControlNode> {
  return ControlNode.start({
    option: { container: 'mine', docker, paths: [] },
    ...{ projectDir: dir, runDir: dir, workDir: dir, log: () => {} },
    signal: new AbortController().signal,
  })
}

test('what interrupted runs left on its engine is removed before it starts', async () => {
  const label = Object.entries(ownerLabels()).map(([name, text]) => [
    name,
    JSON.stringify({ ...JSON.parse(text), startTime: '1' }),
  ])
  const removed: string[] = []
  const server = createServer(({ url = '', method }, response) => {
    if (method === 'DELETE') removed.push(url)
    if (url.endsWith('/version')) response.end('{ "Version": "28.1", "ApiVersion": "1.49" }')
    else if (url.endsWith('/info')) response.end('{ "NCPU": 4, "MemTotal": 1e10 }')
    else if (url.includes('/containers/json'))
      response.end(JSON.stringify([{ Id: 'left', Labels: Object.fromEntries(label) }]))
    else response.writeHead(method === 'DELETE' ? 204 : 404).end()
  })
  await expect(startAt(server)).rejects.toThrow(/^The image mine cannot be pulled/)
  expect(removed).toEqual([expect.stringContaining('/containers/left?')])
})

test('an engine that hangs as it is to make the container is not asked once more, with less', async () => {
  const later = globalThis.setTimeout
  const sooner = (call: () => void, ms?: number) => later(call, ms === 120_000 ? 1_000 : ms)
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(sooner as typeof setTimeout)
  onTestFinished(() => void vi.restoreAllMocks())
  let asked = 0
  const server = createServer(({ url = '' }, response) => {
    if (url.endsWith('/version')) response.end('{ "Version": "28.1", "ApiVersion": "1.49" }')
    else if (url.endsWith('/info')) response.end('{ "NCPU": 4, "MemTotal": 1e10 }')
    else if (url.includes('/containers/json')) response.end('[]')
    else if (url.includes('/images/')) response.end('{ "Id": "sha256:1" }')
    else asked++
  })
  await expect(startAt(server)).rejects.toThrow('it was asked POST /containers/create')
  expect(asked).toBe(1)
})

test('its container has all groups of this user, or none where an engine has no such groups', async () => {
  vi.spyOn(process, 'getgroups').mockReturnValue([100, 1001])
  onTestFinished(() => void vi.restoreAllMocks())
  const asked: { HostConfig: { GroupAdd?: string[]; Mounts?: unknown[] } }[] = []
  const server = createServer(async (request, response) => {
    const url = request.url ?? ''
    if (url.endsWith('/version')) response.end('{ "Version": "28.1", "ApiVersion": "1.49" }')
    else if (url.endsWith('/info')) response.end('{ "NCPU": 4, "MemTotal": 1e10 }')
    else if (url.includes('/containers/json')) response.end('[]')
    else if (url.includes('/images/')) response.end('{ "Id": "sha256:1" }')
    else {
      if (url.includes('/containers/create')) asked.push(JSON.parse(await text(request)))
      response.writeHead(500).end('{ "message": "no such group" }')
    }
  })
  await expect(startAt(server)).rejects.toThrow('no such group')
  expect(asked.map(({ HostConfig }) => [HostConfig.Mounts !== undefined, HostConfig.GroupAdd])).toEqual([
    [true, ['100', '1001']],
    [true, undefined],
    [false, undefined],
  ])
})
