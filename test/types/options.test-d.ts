import { expectTypeOf, it } from 'vitest'
import { defineConfig } from 'vitest/config'
import { raspiTest } from 'vitest-raspi'
import { type RaspiOptions, raspi } from 'vitest-raspi/plugin'

it('makes a plugin for Vitest', () => {
  expectTypeOf(defineConfig).toBeCallableWith({
    plugins: [raspi(), raspi({ image: 'debian-12-arm64', maxPis: 2 })],
  })
})

it('needs no option', () => {
  expectTypeOf<Record<string, never>>().toExtend<RaspiOptions>()
})

it('knows its options', () => {
  raspi({ board: 'raspi3b', cacheDir: '/srv/cache', bootTimeout: 60_000, playbookTimeout: 60_000 })
  raspi({ image: { url: 'https://example.org/pi.img.xz', sha256: '0'.repeat(64) } })
  raspi({ image: { name: 'debian-12-arm64', packages: ['rsync'], files: { '/etc/motd': 'hello' } } })
  // @ts-expect-error: an image is of one place
  raspi({ image: { sha256: '0'.repeat(64) } })
  // @ts-expect-error: QEMU emulates no such board
  raspi({ board: 'raspi9' })
  // @ts-expect-error: times are in milliseconds
  raspi({ bootTimeout: '5 min' })
  // @ts-expect-error: there is no such option
  raspi({ pis: 2 })
})

it('knows what coverage may hold', () => {
  raspi({ coverage: true, accelerate: 'mitogen' })
  raspi({ coverage: { include: ['roles/**/*.yml'], thresholds: { tasks: 80, conditions: 50 } } })
  // @ts-expect-error: a threshold is a number of percent
  raspi({ coverage: { thresholds: { tasks: '80 %' } } })
  // @ts-expect-error: lines are not counted
  raspi({ coverage: { thresholds: { lines: 80 } } })
})

it('takes a board by its name, or virt with its sizes', () => {
  raspi({ board: 'raspi3ap' })
  raspi({ board: { name: 'virt', memoryMiB: 2048 } })
  raspiTest({ board: { name: 'virt', cores: 4 } })
  // @ts-expect-error A Pi has the memory that it has.
  raspi({ board: { name: 'raspi3b', memoryMiB: 2048 } })
  // @ts-expect-error QEMU has no Pi 5.
  raspiTest({ board: 'raspi5' })
})
