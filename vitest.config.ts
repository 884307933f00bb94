import { defineConfig } from 'vitest/config'
import './test/support/plain-env.ts'

export default defineConfig({
  test: {
    name: 'unit',
    include: ['test/unit/**/*.test.ts'],
    testTimeout: 30_000,
    // Vitest's own default leaves a core to nobody.
    maxWorkers: '100%',
    tags: [{ name: 'hermetic' }],
  },
})
