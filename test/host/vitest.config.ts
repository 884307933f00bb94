import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// What needs no Pi: real programs and processes of this host. Two of its files run at the same time.
export default defineConfig({
  test: {
    name: 'host',
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/host/**/*.test.ts'],
    testTimeout: 300_000,
    maxWorkers: 2,
    // Hosts of CI are shared and stall; what fails twice is broken.
    retry: process.env.CI ? 1 : 0,
  },
})
