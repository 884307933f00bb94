import { expect, test } from 'vitest'
import { exampleFiles } from '../support/example.ts'
import { Project } from '../support/project.ts'

test('the tests of the quickstart fail where its role has a mistake', {
  timeout: 1_200_000,
}, async () => {
  const files = exampleFiles('quickstart')
  const server = 'roles/hello/files/hello.py'
  files[server] = (files[server] ?? '').replace(' from {', ' to {')
  using project = new Project({ files })
  const { code, output } = await project.vitest(['-t', 'greeting']).finished(1_100_000)
  expect(output).toContain('toAnswerHttp')
  expect(output).toContain('Moin to ')
  expect(code).toBe(1)
})
