import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ControlNode, rootsOf } from '../../../src/control-node/control-node.ts'
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
  const starting = ControlNode.start({
    option: { container: 'mine', docker: 'unix:///nowhere/docker.sock', paths: [] },
    ...{ projectDir: dir, runDir: dir, workDir: dir, log: () => {} },
  })
  await expect(starting).rejects.toThrow(
    /^Ansible cannot run in containers, because the Docker engine unix:\/\/\/nowhere\/docker\.sock does not answer: .*ENOENT.*\n.*ansible: \{ container: …, docker: ADDRESS \}/,
  )
})
