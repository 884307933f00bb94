const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Lets Ctrl-C, a wish to end or the terminal's end abort the signal that `work` gets, so that it ends in good order;
 * `reason` is why, where it is not the end that is meant for it.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  reason?: Error,
): Promise<T> {
  const stop = new AbortController()
  const interrupt = () => stop.abort(reason)
  for (const signal of signals) process.on(signal, interrupt)
  try {
    return await work(stop.signal)
  } finally {
    for (const signal of signals) process.off(signal, interrupt)
  }
}
