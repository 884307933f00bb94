import { expect, raspiTest } from 'vitest-raspi'

// Pis on a network through a boot of their own, which no thaw prepares for.
const test = raspiTest({ hosts: { controller: { networks: ['mgmt'] }, worker: { networks: ['mgmt'] } } })

test('after a reboot addresses are the same, and NICs report to the system no more than they have to', {
  timeout: 300_000,
}, async ({ pis }) => {
  const { controller } = pis
  await controller.power.reset()
  const answers = async () => {
    const { stdout } = await controller.run('ping -n -i 0.2 -W 1 -c 3 worker', { reject: false, sudo: true })
    return Number(/(\d+) received/.exec(stdout)?.[1])
  }
  await expect.poll(answers, { timeout: 60_000 }).toBe(3)
  // On `virt`, which has no USB, there are none.
  const count = "awk '/usb/ { for (i = 2; i <= 5; i++) sum += $i } END { print sum + 0 }' /proc/interrupts"
  const reports = async () => {
    const { stdout } = await controller.run(`${count}; sleep 3; ${count}`)
    const [before = 0, after = 0] = stdout.split('\n').map(Number)
    return after - before
  }
  await expect.poll(reports, { timeout: 60_000 }).toBeLessThan(1_000)
})
