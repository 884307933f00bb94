import { defineConfig } from 'vitest/config'
import { raspi } from 'vitest-raspi/plugin'

// Tasks take an emulated Pi seconds each; with Mitogen, where that is installed, they are several times as fast.
export default defineConfig({ plugins: [raspi({ accelerate: 'auto' })] })
