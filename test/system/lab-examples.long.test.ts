import { expect, test } from 'vitest'
import { exampleFiles } from './support/example.ts'
import { Project } from './support/project.ts'

test.for([
  ['bare-metal-lab', 1],
  ['power-loss', 4],
  ['cluster', 1],
] as const)(
  'the tests of %s pass, and leave nothing behind',
  { timeout: 2_400_000 },
  async ([name, count]) => {
    using project = new Project({ files: exampleFiles(name) })
    const { code, output } = await project.vitest().finished(2_300_000)
    expect(output).toMatch(new RegExp(`Tests +${count} passed`))
    expect(code).toBe(0)
    expect(project.leftovers()).toEqual([])
  },
)
