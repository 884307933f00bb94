import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { HostEngine } from '../../src/engine/host-engine.ts'
import { defaultCacheDir, privateDir } from '../../src/host/paths.ts'
import { assertHost } from '../../src/host/requirements.ts'
import { RunDir } from '../../src/host/run-dir.ts'
import { resolveImage } from '../../src/image/resolve-image.ts'
import { LivePi } from '../../src/lab/live-pi.ts'
import { boards } from '../../src/machine/boards.ts'
import { runBySsh } from '../../src/pi/ssh.ts'

/** What people do by hand for each test: copy the whole image, grow it, boot the copy. Gives the time in ms. */
export async function measureCopyBoot(say: (line: string) => void): Promise<number> {
  const cacheDir = privateDir(defaultCacheDir())
  const tools = await assertHost(['run'], { cacheDir })
  const image = await resolveImage('debian-12-arm64', { cacheDir, log: say })
  const run = new RunDir()
  const kill = () => {
    run.killNoted()
    run.remove()
  }
  process.on('exit', kill)
  // Beside the cache, as it would be; the temporary directory may be memory.
  const copy = join(privateDir(cacheDir, 'tmp'), `bench-${process.pid}.raw`)
  const started = performance.now()
  try {
    execFileSync('cp', ['--sparse=never', '--reflink=never', image.path, copy])
    execFileSync('chmod', ['u+w', copy])
    execFileSync(tools.qemuImg, ['resize', '-q', '-f', 'raw', copy, '8G'])
    const pi = await LivePi.start(
      { image: { ...image, path: copy }, board: boards.raspi3b },
      {
        ...{ number: 1, hostname: 'pi-1', dir: join(run.path, '1') },
        engine: new HostEngine({ ...tools, cacheDir, note: (pid) => run.note(pid) }),
        ...{ timeoutMs: 600_000, signal: new AbortController().signal },
        ...{ notEmulated: () => {}, log: say },
      },
    )
    await runBySsh('pi-1', pi.connection, pi.controlPath, 'true')
    const ms = performance.now() - started
    await pi.end()
    return ms
  } finally {
    rmSync(copy, { force: true })
    run.remove()
    process.off('exit', kill)
  }
}
