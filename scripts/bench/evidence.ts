import { keep, type Results } from './results.ts'
import { runSuite } from './suites.ts'

const playbook = `- hosts: all
  gather_facts: false
  tasks:
    - name: Leave a mark
      ansible.builtin.copy: { content: here, dest: been-here, mode: "0644" }
`

const tests = `
import { expect, test } from 'vitest-raspi'
for (let number = 1; number <= 4; number++) {
  test(\`test \${number}\`, async ({ pi, ansible }) => {
    expect(await ansible.playbook('site.yml')).toSucceed()
    await expect(pi).toHaveFile('/home/pi/been-here')
  })
}
`

/**
 * What is kept and reported of tests that pass, as a share of the whole suite. Two runs of a suite with Pis differ by more
 * than that share, so that the time is taken where it is spent.
 */
export async function measureEvidence(
  results: Results,
  rounds: number,
  say: (line: string) => void,
): Promise<void> {
  const files = { 'site.yml': playbook, 'suite.test.ts': tests }
  for (let round = 0; round < rounds; round++) {
    for (const [what, options] of [
      ['evidenceFailed', ''],
      ['evidenceAll', "evidence: 'all'"],
    ] as const) {
      const { ms, output } = await runSuite(options, files, { DEBUG: 'raspi:spans' })
      const spent = [...output.matchAll(/raspi:spans .*: evidence (\d+) ms/g)].map(([, ms]) => Number(ms))
      if (spent.length < 5) throw new Error(`Of four tests and a report ${spent.length} told what they took.`)
      const share = spent.reduce((a, b) => a + b, 0) / ms
      keep(results, what, Number(share.toFixed(4)))
      say(`${what}: ${(share * 100).toFixed(2)} % (${spent.join(', ')} of ${Math.round(ms)} ms)`)
    }
  }
}
