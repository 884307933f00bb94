import { expect, test } from 'vitest'
import { Project } from '../support/project.ts'

// Eight Pis need 6 GB of memory, and on two cores some minutes.
const files = {
  'eight.test.ts': `
import { expect, raspiTest } from 'vitest-raspi'

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const test = raspiTest({ hosts: Object.fromEntries(names.map((name) => [name, { networks: ['net'] }])) })

test('all reach each other by name', { timeout: 1_500_000 }, async ({ pis, networks }) => {
  const reached = await Promise.all(
    names.map(async (name) => {
      const others = names.filter((other) => other !== name).join(' ')
      const script = \`for to in \${others}; do ping -n -q -c 2 -W 5 $to > /dev/null && echo $to; done; true\`
      return (await pis[name].run(script, { sudo: true, timeoutMs: 600_000 })).stdout.trim().split('\\n').join(' ')
    }),
  )
  expect(reached).toEqual(names.map((name) => names.filter((other) => other !== name).join(' ')))
  const statistics = await networks.net.statistics()
  expect(Object.keys(statistics).sort()).toEqual(names)
  expect((await networks.net.frames({ protocol: 'icmp', from: 'a', to: 'b' })).length).toBeGreaterThanOrEqual(4)
  // What is for one Pi the others are not shown.
  const icmp = await networks.net.frames({ protocol: 'icmp' })
  expect(icmp.filter(({ to }) => to.length !== 1)).toEqual([])
})
`,
}

test('eight Pis on one network all reach each other', { timeout: 1_800_000 }, async () => {
  using project = new Project({ files, options: 'maxPis: 8, readyPis: 0' })
  const { code, output } = await project.vitest().finished(1_700_000)
  expect(output).toMatch(/Tests +1 passed/)
  expect(code).toBe(0)
  expect(project.leftovers()).toEqual([])
})
