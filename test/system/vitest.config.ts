import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { raspi } from 'vitest-raspi/plugin'
import { onVirt } from '../support/board.ts'

const virt = { name: 'virt', memoryMiB: 2048, cores: 2 } as const

// Those that make images or frozen Pis of their own take minutes each: `npm run test:long`.
const long = 'test/system/**/*.long.test.ts'
const wanted = process.env.VITEST_RASPI_LONG ? { include: [long] } : { exclude: [long] }

// The same tests of the machine that is no Pi: `VITEST_RASPI_TEST_BOARD=virt npm run test:system`.
const board = onVirt ? virt : 'raspi3b'

export default defineConfig({
  plugins: [raspi({ board })],
  test: {
    name: 'system',
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/system/**/*.test.ts'],
    globalSetup: 'test/system/engine.setup.ts',
    ...wanted,
    // Some tests look at all processes of the host, and two cores bear two Pis just so.
    maxWorkers: 1,
    // Hosts of CI are shared and stall; what fails twice is broken.
    retry: process.env.CI ? 1 : 0,
  },
})
