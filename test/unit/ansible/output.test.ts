import { expect, test } from 'vitest'
import { BoundedOutput } from '../../../src/ansible/output.ts'

function collect(limit: { head: number; tail: number }, ...chunks: (string | Buffer)[]): string {
  const output = new BoundedOutput(limit)
  for (const chunk of chunks) output.add(Buffer.from(chunk))
  return String(output)
}

test('a short output is kept as it is', () => {
  expect(collect({ head: 4, tail: 4 }, 'ab', 'cd', 'ef')).toBe('abcdef')
})

test('of a long output the beginning and the end are kept, and the rest is counted', () => {
  expect(collect({ head: 4, tail: 4 }, 'begin', '1234', '5678', 'end!')).toBe(
    'begi\n… 9 bytes left out …\nend!',
  )
})

test('ten megabytes do not stay in memory', () => {
  const output = new BoundedOutput()
  for (let i = 0; i < 1000; i++) output.add(Buffer.alloc(10_000, 'x'))
  expect(String(output).length).toBeLessThan(1.1 * 1024 * 1024)
})

test('a character that lies across two chunks stays whole', () => {
  const [a, b] = [Buffer.from('€').subarray(0, 1), Buffer.from('€').subarray(1)]
  expect(collect({ head: 10, tail: 10 }, a, b)).toBe('€')
})

test('what is no UTF-8 is replaced, not thrown at the user', () => {
  expect(collect({ head: 10, tail: 10 }, Buffer.from([0x61, 0xff, 0x62]))).toBe('a\ufffdb')
})
