import { defineConfig } from 'vitest/config'
import { raspi } from 'vitest-raspi/plugin'

export default defineConfig({ plugins: [raspi({ accelerate: 'auto' })] })
