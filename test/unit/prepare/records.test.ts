import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { namesSchema, readRecord, writeRecord } from '../../../src/prepare/records.ts'
import { test } from './project.ts'

test('a record that was written is read, and nothing else is left', async ({ repository: { root } }) => {
  const file = join(root, 'layers/a.json')
  await writeRecord(file, ['a', 'b'])
  await writeRecord(file, ['c'])
  expect(await readRecord(file, namesSchema)).toEqual(['c'])
  expect(readdirSync(join(root, 'layers'))).toEqual(['a.json'])
})

test.for([[''], ['[1]'], ['{"a":']])(
  'a record of %j is none',
  async ([text = ''], { repository: { root } }) => {
    const file = join(root, 'a.json')
    writeFileSync(file, text)
    expect(await readRecord(file, namesSchema)).toBeUndefined()
    expect(await readRecord(join(root, 'none.json'), namesSchema)).toBeUndefined()
  },
)
