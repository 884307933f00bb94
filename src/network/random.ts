import { createHash } from 'node:crypto'

/** Gives numbers from 0 up to, not including, 1. */
export type Random = () => number

/**
 * A generator of numbers that are the same whenever `words` are: Tommy Ettinger's Mulberry32, in the public domain
 * (https://gist.github.com/tommyettinger/46a874533244883189143505d203312c), begun with a digest of the words.
 */
export function seededRandom(...words: (string | number)[]): Random {
  let state = createHash('sha256').update(JSON.stringify(words)).digest().readUInt32LE(0)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
