import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'types',
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: [],
    typecheck: {
      enabled: true,
      only: true,
      include: ['test/types/*.test-d.ts'],
      tsconfig: 'test/types/tsconfig.json',
    },
  },
})
