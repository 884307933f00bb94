import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { raspi } from 'vitest-raspi/plugin'

export default defineConfig({
  plugins: [raspi()],
  test: {
    name: 'system',
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/system/**/*.test.ts'],
    // Some tests look at all processes of the host, and two cores bear two Pis just so.
    maxWorkers: 1,
    // Hosts of CI are shared and stall; what fails twice is broken.
    retry: process.env.CI ? 1 : 0,
  },
})
