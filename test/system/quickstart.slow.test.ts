import { expect, test } from 'vitest'
import { exampleFiles } from '../support/example.ts'
import { Project } from '../support/project.ts'

test('the tests of the quickstart pass, and leave nothing behind', { timeout: 1_200_000 }, async () => {
  using project = new Project({ files: exampleFiles('quickstart') })
  const { code, output } = await project.vitest().finished(1_100_000)
  expect(output).toMatch(/Tests +3 passed/)
  expect(code).toBe(0)
  expect(project.leftovers()).toEqual([])
})
