import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { patient } from './patient.ts'
import '../support/plain-env.ts'

// What needs no Pi: real programs and processes of this host.
export default defineConfig({
  test: {
    name: 'host',
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/host/**/*.test.ts'],
    ...patient,
  },
})
