import { expect, type Pi, raspiTest } from 'vitest-raspi'

const shared = '10.77.1.10'
const host = { networks: ['mgmt'], vars: { shared_address: shared } }
const test = raspiTest({ hosts: { boreas: host, eurus: host, notus: host }, internet: false })

test('one Pi has the shared address, and another takes it over', async ({ pis, ansible, networks }) => {
  const { boreas, eurus, notus } = pis
  const owners = async () => {
    const all = Object.values(pis)
    const have = await Promise.all(all.map(hasAddress))
    return all.filter((_, index) => have[index]).map(({ name }) => name)
  }
  const expectOwners = (...names: string[]) =>
    expect.poll(owners, { timeout: 90_000, interval: 1_000 }).toEqual(names)

  expect(await ansible.playbook('site.yml')).toSucceed()
  await expectOwners('boreas')

  // Who is cut off goes on; the others elect the next one.
  const partition = await networks.mgmt.partition([['boreas'], ['eurus', 'notus']])
  await expectOwners('boreas', 'eurus')
  expect((await notus.run(`ping -n -c 1 -W 5 ${shared}`)).exitCode).toBe(0)
  await partition.undo()
  await expectOwners('boreas')

  await boreas.power.cut()
  await expect.poll(() => hasAddress(eurus), { timeout: 90_000, interval: 1_000 }).toBe(true)
})

const hasAddress = async (pi: Pi) =>
  (await pi.run('ip -o address show dev eth1')).stdout.includes(`${shared}/`)
