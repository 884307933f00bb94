/**
 * The library that reads a card's file systems. Its WebAssembly part takes over the process's handling of uncaught
 * errors and unhandled rejections, prints itself whole at each, and rethrows: in Vitest's main process that is not ours
 * to give away, so its listeners are taken off again. https://github.com/emscripten-core/emscripten/issues/9028
 */
export async function cardFiles(): Promise<typeof import('balena-image-fs')> {
  const events = ['uncaughtException', 'unhandledRejection'] as const
  const before = events.map((event) => process.listeners(event as 'uncaughtException'))
  const library = await import('balena-image-fs')
  for (const [index, event] of events.entries()) {
    for (const listener of process.listeners(event as 'uncaughtException')) {
      if (!before[index]?.includes(listener)) process.off(event, listener)
    }
  }
  return library
}
