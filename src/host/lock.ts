import { setTimeout as delay } from 'node:timers/promises'
import lockfile from 'proper-lockfile'
import { privateDir } from './paths.ts'
import type { Log } from './progress.ts'

/**
 * Lets one process at a time do `make` for `dir`; the others wait. The lock only avoids double work: what `make`
 * writes must be right without it too (a temporary name, then a rename). A lock whose owner died is taken over after 10 s.
 */
export async function exclusively<T>(
  dir: string,
  { log, waitingFor, signal }: { log: Log; waitingFor: string; signal?: AbortSignal | undefined },
  make: () => Promise<T>,
): Promise<T> {
  privateDir(dir)
  let told = false
  for (;;) {
    signal?.throwIfAborted()
    const release = await lockfile.lock(dir, { stale: 10_000, onCompromised: () => {} }).catch((error) => {
      if (error.code !== 'ELOCKED') throw error
    })
    if (release) {
      try {
        return await make()
      } finally {
        await release().catch(() => {})
      }
    }
    if (!told) log(`${waitingFor}: another process is at it, waiting for it …`)
    told = true
    await delay(250, undefined, signal ? { signal } : {})
  }
}
