import { type CardLimits, expect, raspiTest } from 'vitest-raspi'

// Each fault is shown by what the guest sees of it, and by its end. They share a Pi: each has to leave it whole.
const test = raspiTest({ scope: 'file' })

const seconds = (ms: number) => ms * 1000

test('a card that is full is so for root too, until it is not', { timeout: 180_000 }, async ({ pi }) => {
  const write = () =>
    pi.run('dd if=/dev/zero of=/root/data bs=64k count=16 && sync', { sudo: true, reject: false })
  const fault = await pi.faults.fullCard()
  expect((await write()).stderr).toContain('No space left on device')
  await fault.undo()
  expect(await write()).toMatchObject({ exitCode: 0 })
  await pi.run('rm /root/data', { sudo: true })
})

// Each takes ten and five seconds.
const slow: [what: string, limits: CardLimits, command: string, least: number][] = [
  [
    'writes slowly',
    { bytesPerSecond: 200_000 },
    'dd if=/dev/zero of=/root/data bs=64k count=32 conv=fsync',
    8,
  ],
  [
    'does little at once',
    { operationsPerSecond: 100 },
    'dd if="$(findmnt -no SOURCE /)" of=/dev/null bs=512 count=500 iflag=direct',
    4,
  ],
]
test.for(slow)(
  'a card that %s takes its time',
  { timeout: 180_000 },
  async ([, limits, command, least], { pi }) => {
    const time = async () => {
      const started = performance.now()
      await pi.run(command, { sudo: true })
      return performance.now() - started
    }
    const before = await time()
    const fault = await pi.faults.slowCard(limits)
    expect(await time()).toBeGreaterThan(Math.max(before, seconds(least)))
    await fault.undo()
    expect(await time()).toBeLessThan(seconds(least))
    await pi.run('rm -f /root/data', { sudo: true })
  },
)

test('a Pi that hangs answers nothing, and then goes on', { timeout: 180_000 }, async ({ pi }) => {
  const fault = await pi.faults.hang()
  await expect(pi.run('true', { timeoutMs: 5_000 })).rejects.toThrow('did not finish within 5 s')
  await fault.undo()
  await pi.run('true')
})

test('memory runs short, and comes back', { timeout: 180_000 }, async ({ pi }) => {
  const available = async () =>
    Number((await pi.run("awk '/MemAvailable/ { print $2 }' /proc/meminfo")).stdout) / 1024
  const before = await available()
  const fault = await pi.faults.memoryPressure({ leaveMiB: 100 })
  expect(await available()).toBeLessThan(150)
  await fault.undo()
  expect(await available()).toBeGreaterThan(before - 100)
})

test('a clock that jumps tells another time, and the right one afterwards', { timeout: 180_000 }, async ({
  pi,
}) => {
  const ahead = async () => Number((await pi.run('date +%s')).stdout) - Date.now() / 1000
  const fault = await pi.faults.clockJump({ seconds: 86_400 })
  expect(await ahead()).toBeGreaterThan(86_000)
  await fault.undo()
  expect(Math.abs(await ahead())).toBeLessThan(30)
})

test('a fault that a test leaves is made', { timeout: 180_000 }, async ({ pi }) => {
  await pi.faults.clockJump({ seconds: -86_400 })
})

test('and its end is not left to the next', { timeout: 180_000 }, async ({ pi }) => {
  expect(Math.abs(Number((await pi.run('date +%s')).stdout) - Date.now() / 1000)).toBeLessThan(30)
})

test('a card with an error is read-only, until a power cycle', { timeout: 300_000 }, async ({ pi }) => {
  const write = () => pi.run('touch /root/data', { sudo: true, reject: false })
  await pi.faults.readOnlyCard()
  expect((await write()).stderr).toContain('Read-only file system')
  // The root file system is repaired, and the Pi reboots for it.
  await pi.power.cycle()
  expect(await write()).toMatchObject({ exitCode: 0 })
})

test('faults that cannot be are refused', async ({ pi }) => {
  await expect(pi.faults.slowCard({})).rejects.toThrow('slowCard() needs bytesPerSecond')
  await expect(pi.faults.memoryPressure({ leaveMiB: 1 })).rejects.toThrow('leaves at least 16 MiB')
  await expect(pi.faults.clockJump({ seconds: Number.NaN })).rejects.toThrow('is no time')
})
