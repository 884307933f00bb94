import { mkdirSync, mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { abandoned, scratchName } from '../../../src/host/scratch.ts'
import { worldTag } from '../../../src/host/world.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'raspi-scratch-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const make = (...names: string[]) => names.map((name) => mkdirSync(join(dir, name)))
const dead = `${worldTag()}-999999999-1-1`

test('what the dead left is abandoned, what the living make and what is of another kind is not', () => {
  make(scratchName('image'), `image-${dead}`, `frozen-${dead}`, 'notes')
  expect(abandoned(dir, 'image').map((path) => basename(path))).toEqual([`image-${dead}`])
  expect(abandoned(dir, 'image', 'frozen')).toHaveLength(2)
})

test('what belongs to such a name is abandoned with it', () => {
  make(`frozen-${dead}.damaged`)
  expect(abandoned(dir, 'frozen')).toHaveLength(1)
})

test('a directory whose pid another process has got is abandoned', () => {
  make(`image-${worldTag()}-${process.pid}-1-1`)
  expect(abandoned(dir, 'image')).toHaveLength(1)
})

test.for<[string, string]>([
  ['another machine or container, or the last boot,', 'image-0123456789ab-999999999-1-1'],
  ['an earlier version', 'image-999999999-1-1'],
])('what is of %s is abandoned once it has not changed for a day', ([, name]) => {
  make(name)
  expect(abandoned(dir, 'image')).toEqual([])
  const twoDaysAgo = Date.now() / 1_000 - 2 * 86_400
  utimesSync(join(dir, name), twoDaysAgo, twoDaysAgo)
  expect(abandoned(dir, 'image')).toEqual([join(dir, name)])
})

test('where nothing was ever made, nothing is abandoned', () => {
  expect(abandoned(join(dir, 'none'), 'image')).toEqual([])
})

test('no two names are the same', () => {
  expect(scratchName('image')).not.toBe(scratchName('image'))
})
