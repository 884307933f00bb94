import { expect, test } from 'vitest'
import { exampleFiles } from '../support/example.ts'
import { Project } from '../support/project.ts'

test('the tests of the four winds pass, and leave nothing behind', { timeout: 900_000 }, async () => {
  using project = new Project({ files: exampleFiles('four-winds') })
  const { code, output } = await project.vitest().finished(850_000)
  expect(output).toMatch(/Tests +1 passed/)
  expect(code).toBe(0)
  expect(project.leftovers()).toEqual([])
})
