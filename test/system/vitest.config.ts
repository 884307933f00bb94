import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { raspi } from 'vitest-raspi/plugin'

export default defineConfig({
  plugins: [raspi()],
  test: {
    name: 'system',
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/system/**/*.test.ts'],
    maxWorkers: 2,
  },
})
