import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { abandoned, scratchName } from '../../../src/host/scratch.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'raspi-scratch-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const make = (...names: string[]) => names.map((name) => mkdirSync(join(dir, name)))

test('what the dead left is abandoned, what the living make and what is of another kind is not', () => {
  make(scratchName('image'), 'image-999999999-1-1', 'frozen-999999999-1-1', 'notes')
  expect(abandoned(dir, 'image').map((path) => basename(path))).toEqual(['image-999999999-1-1'])
  expect(abandoned(dir, 'image', 'frozen')).toHaveLength(2)
})

test('what belongs to such a name is abandoned with it', () => {
  make('frozen-999999999-1-1.damaged')
  expect(abandoned(dir, 'frozen')).toHaveLength(1)
})

test('a directory whose pid another process has got is abandoned', () => {
  make(`image-${process.pid}-1-1`)
  expect(abandoned(dir, 'image')).toHaveLength(1)
})

test('where nothing was ever made, nothing is abandoned', () => {
  expect(abandoned(join(dir, 'none'), 'image')).toEqual([])
})

test('no two names are the same', () => {
  expect(scratchName('image')).not.toBe(scratchName('image'))
})
