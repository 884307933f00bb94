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
  // What is for one Pi the others are not shown: each is sent its own 28 packets, what ARP asks all, and little more.
  const icmp = await networks.net.frames({ protocol: 'icmp', from: 'a', to: 'b' })
  expect(icmp.length).toBeGreaterThanOrEqual(4)
  for (const name of names) expect(statistics[name].sent.frames).toBeLessThan(500)
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
