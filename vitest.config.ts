import { defineConfig } from 'vitest/config'
import './test/support/plain-env.ts'

export default defineConfig({
  test: {
    name: 'unit',
    include: ['test/unit/**/*.test.ts'],
    testTimeout: 30_000,
    // Vitest's own second is too short for a process on a busy host.
    expect: { poll: { timeout: 10_000 } },
    // Vitest's own default leaves a core to nobody.
    maxWorkers: '100%',
    tags: [{ name: 'hermetic' }],
  },
})
