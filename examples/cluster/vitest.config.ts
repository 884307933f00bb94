import { defineConfig } from 'vitest/config'
import { raspi } from 'vitest-raspi/plugin'

// The image has the package already: no test waits for its installation, and none needs the internet.
const image = { name: 'debian-12-arm64', packages: ['keepalived'] }

export default defineConfig({ plugins: [raspi({ image, accelerate: 'auto' })] })
