import { describe, expect, test } from 'vitest'
import { exampleFiles } from '../support/example.ts'
import { Project } from '../support/project.ts'

// VITEST_RASPI_ROUNDS=10 is what a release is tried with; of the power cuts alone it takes one to two hours. Each round cuts at
// other moments.
const rounds = Array.from({ length: Number(process.env.VITEST_RASPI_ROUNDS ?? 1) }, (_, round) => round + 1)

describe.for([
  ['bare-metal-lab', 1],
  ['power-loss', 4],
  ['cluster', 1],
] as const)('the tests of %s pass, and leave nothing behind', ([name, count]) => {
  test.for(rounds)('in round %i', { timeout: 2_400_000 }, async (round) => {
    using project = new Project({ files: exampleFiles(name) })
    const { code, output } = await project.vitest([], { ROUND: `${round}` }).finished(2_300_000)
    expect(output).toMatch(new RegExp(`Tests +${count} passed`))
    expect(code).toBe(0)
    expect(project.leftovers()).toEqual([])
  })
})
