import { expect, test } from 'vitest'
import { Project } from '../support/project.ts'

test('Pis that boot are on their networks, too', { timeout: 900_000 }, async () => {
  using project = new Project({
    options: 'freeze: false, maxPis: 2',
    files: {
      'test/networks.test.ts': `
        import { expect, raspiTest } from 'vitest-raspi'

        const test = raspiTest({ hosts: { controller: { networks: ['mgmt', 'ext'] }, worker: { networks: ['mgmt'] } } })

        test('they reach each other, and the world', { timeout: 800_000 }, async ({ pis }) => {
          for (const pi of Object.values(pis)) {
            expect(pi.origin).toBe('booted')
            for (const { interface: name, mac, address } of pi.nics) {
              const { stdout } = await pi.run(\`ip -o address show dev \${name}; cat /sys/class/net/\${name}/address\`)
              expect(stdout).toContain(\`inet \${address} \`)
              expect(stdout).toContain(mac)
            }
            await pi.run('ping -n -c 1 -W 5 10.0.2.2')
            expect((await pi.run('ip route show default')).stdout).toMatch(/^default via 10\\.0\\.2\\.2 dev eth0/)
          }
          await pis.worker.run('ping -n -c 2 -W 5 controller.mgmt')
        })
      `,
    },
  })
  const { code, output } = await project.vitest().finished(850_000)
  expect(output).toMatch(/Tests +1 passed/)
  expect(code).toBe(0)
  expect(project.leftovers()).toEqual([])
})
