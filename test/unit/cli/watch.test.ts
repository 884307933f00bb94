import { expect, test } from 'vitest'
import { watch } from '../../../src/cli/watch.ts'

/** What is written while `seen` is seen, one after the other, each a second after the one before. */
async function watching(seen: readonly string[][], moving: boolean): Promise<string[]> {
  const written: string[] = []
  const stop = new AbortController()
  let seconds = 0
  await watch(
    { out: (text) => written.push(text), err: (text) => written.push(text) },
    {
      ...{ moving, signal: stop.signal },
      look: async () => seen[seconds] ?? [],
      lines: (names) => names.map((name) => `${name} ${seconds} s`),
      wait: async () => {
        seconds += 1
        if (seconds === seen.length) stop.abort()
      },
    },
  )
  return written
}

const seen = [['boreas'], ['boreas'], ['boreas', 'eurus'], ['eurus']]

test('in a terminal the list is drawn over itself each second, and nothing of the old one stays', async () => {
  expect(await watching(seen, true)).toEqual([
    '\x1b[Hboreas 0 s\x1b[J',
    '\x1b[Hboreas 1 s\x1b[J',
    '\x1b[Hboreas 2 s\x1b[K\neurus 2 s\x1b[J',
    '\x1b[Heurus 3 s\x1b[J',
  ])
})

test('elsewhere whole lines come when something has changed, and not as time goes by', async () => {
  expect(await watching(seen, false)).toEqual(['boreas 0 s', 'boreas 2 s\neurus 2 s', 'eurus 3 s'])
})

test('what is seen after the end is not shown', async () => {
  const written: string[] = []
  const stop = new AbortController()
  const look = async () => stop.abort()
  const out = (text: string) => written.push(text)
  await watch({ out, err: out }, { look, lines: () => ['late'], moving: false, signal: stop.signal })
  expect(written).toEqual([])
})
