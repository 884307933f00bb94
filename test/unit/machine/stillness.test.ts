import { expect, test } from 'vitest'
import { Stillness } from '../../../src/machine/stillness.ts'

function guest() {
  const said: string[] = []
  const stillness = new Stillness({ stop: async () => said.push('stop'), go: async () => said.push('go') })
  return { stillness, said }
}

test('a guest that is looked at goes on afterwards, whatever the look has come to', async () => {
  const { stillness, said } = guest()
  expect(await stillness.during(async () => said.push('look'))).toBe(2)
  await expect(stillness.during(() => Promise.reject(new Error('gone')))).rejects.toThrow('gone')
  expect(said).toEqual(['stop', 'look', 'go', 'stop', 'go'])
})

test('a guest that is paused stays so when it has been looked at', async () => {
  const { stillness, said } = guest()
  await stillness.pause()
  await stillness.during(async () => {})
  expect(said).toEqual(['stop', 'stop'])
  await stillness.resume()
  await stillness.during(async () => {})
  expect(said.slice(2)).toEqual(['go', 'stop', 'go'])
})

test('a guest that is paused while it is looked at is not let go by the look', async () => {
  const { stillness, said } = guest()
  await stillness.during(() => stillness.pause())
  expect(said.at(-1)).toBe('stop')
})
