// A process that wants an image: `node pull.ts CACHE OPTION [DIE_AT]`. It kills itself at the line that has DIE_AT.
import { resolveImage } from '../../src/image/resolve-image.ts'

const [cacheDir = '', option = '', dieAt] = process.argv.slice(2)
try {
  const image = await resolveImage(JSON.parse(option), {
    cacheDir,
    log(line) {
      process.stderr.write(`${line}\n`)
      if (dieAt && line.includes(dieAt)) process.kill(process.pid, 'SIGKILL')
    },
    patience: { failures: 2, retryMs: 10 },
  })
  process.stdout.write(image.id)
} catch (error) {
  process.stdout.write((error as Error).message)
  process.exitCode = 1
}
