/** What `work` gives. Rejects with the reason of `signal` as soon as that aborts; `work` goes on then, for others. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const giveUp = () => aborted.reject(signal.reason)
  if (signal.aborted) giveUp()
  else signal.addEventListener('abort', giveUp, { once: true })
  return Promise.race([work, aborted.promise]).finally(() => signal.removeEventListener('abort', giveUp))
}
