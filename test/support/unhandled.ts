import { onTestFinished } from 'vitest'

/** What is rejected from now on without anybody's handling it, until the test ends. */
export function unhandledRejections(): unknown[] {
  const reasons: unknown[] = []
  const note = (reason: unknown) => void reasons.push(reason)
  process.on('unhandledRejection', note)
  onTestFinished(() => void process.off('unhandledRejection', note))
  return reasons
}
