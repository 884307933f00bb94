// The build's second half: Python files that run beside the compiled modules are copied as they are.
import { cpSync, globSync } from 'node:fs'

for (const file of globSync('src/**/*.py')) cpSync(file, file.replace(/^src/, 'dist'))
