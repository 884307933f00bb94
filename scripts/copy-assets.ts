// The build's second half: what tsc leaves alone. Python files and Containerfiles are used beside the compiled modules as they are; the report
// page's script becomes one file, because a page that was opened from file:// can load no module.
import { cpSync, globSync } from 'node:fs'
import { build } from 'vite'

for (const file of globSync('src/**/*.{py,html,css,Containerfile}'))
  cpSync(file, file.replace(/^src/, 'dist'))

await build({
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  build: {
    target: 'es2024',
    outDir: 'dist/report/page',
    emptyOutDir: false,
    lib: {
      entry: 'src/report/page/client/main.ts',
      formats: ['iife'],
      name: 'raspi',
      fileName: () => 'page.js',
    },
  },
})
