import { expect, test } from 'vitest'
import { cardFiles } from '../../../src/image/card-files.ts'

test("the library for cards leaves the process's handling of errors alone", async () => {
  const listeners = () => [
    process.listenerCount('uncaughtException'),
    process.listenerCount('unhandledRejection'),
  ]
  const before = listeners()
  expect(await cardFiles()).toHaveProperty('interact')
  expect(listeners()).toEqual(before)
})
