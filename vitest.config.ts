import { defineConfig } from 'vitest/config'
import './test/support/plain-env.ts'

export default defineConfig({
  test: {
    name: 'unit',
    include: ['test/unit/**/*.test.ts'],
    testTimeout: 30_000,
    tags: [{ name: 'hermetic' }],
  },
})
