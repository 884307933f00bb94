import { expect, test } from 'vitest'
import { sayOnce } from '../../../src/lab/say-once.ts'

test('a line is said once, and every other line too', () => {
  const said: string[] = []
  const say = sayOnce((line) => said.push(line))
  for (const line of ['a', 'b', 'a', 'c', 'b']) say(line)
  expect(said).toEqual(['a', 'b', 'c'])
})
