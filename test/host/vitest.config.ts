import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// What needs no Pi: real programs and processes of this host.
export default defineConfig({
  test: {
    name: 'host',
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/host/**/*.test.ts'],
    testTimeout: 300_000,
    // Some tests look at all processes of the host, and end some by their names.
    maxWorkers: 1,
    // Hosts of CI are shared and stall; what fails twice is broken.
    retry: process.env.CI ? 1 : 0,
  },
})
