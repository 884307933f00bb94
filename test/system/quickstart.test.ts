import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Project } from './support/project.ts'

const example = fileURLToPath(new URL('../../examples/quickstart', import.meta.url))

/** The example's files by their paths, as a user would copy them. */
function exampleFiles(): Record<string, string> {
  const paths = globSync('**/*', { cwd: example, exclude: (name) => name === 'node_modules' })
  const files = paths.filter((path) => statSync(join(example, path)).isFile())
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(example, path), 'utf8')]))
}

test('the tests of the quickstart pass, and leave nothing behind', { timeout: 1_200_000 }, async () => {
  using project = new Project({ files: exampleFiles() })
  const { code, output } = await project.vitest().finished(1_100_000)
  expect(output).toMatch(/Tests +3 passed/)
  expect(code).toBe(0)
  expect(project.leftovers()).toEqual([])
})

test('the tests of the quickstart fail where its role has a mistake', {
  timeout: 1_200_000,
}, async () => {
  const files = exampleFiles()
  const server = 'roles/hello/files/hello.py'
  files[server] = (files[server] ?? '').replace(' from {', ' to {')
  using project = new Project({ files })
  const { code, output } = await project.vitest(['-t', 'greeting']).finished(1_100_000)
  expect(output).toContain('toAnswerHttp')
  expect(output).toContain('Moin to ')
  expect(code).toBe(1)
})
