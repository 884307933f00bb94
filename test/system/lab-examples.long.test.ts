import { expect, test } from 'vitest'
import { exampleFiles } from '../support/example.ts'
import { Project } from '../support/project.ts'

// VITEST_RASPI_ROUNDS=10 is what a release is tried with; of the power cuts alone it takes an hour.
const rounds = Number(process.env.VITEST_RASPI_ROUNDS ?? 1)

test.for([
  ['bare-metal-lab', 1],
  ['power-loss', 4],
  ['cluster', 1],
] as const)(
  'the tests of %s pass, and leave nothing behind',
  { timeout: 100_000 + rounds * 2_300_000 },
  async ([name, count]) => {
    using project = new Project({ files: exampleFiles(name) })
    for (let round = 1; round <= rounds; round++) {
      const { code, output } = await project.vitest().finished(2_300_000)
      expect(output, `round ${round}`).toMatch(new RegExp(`Tests +${count} passed`))
      expect(code).toBe(0)
      expect(project.leftovers()).toEqual([])
    }
  },
)
