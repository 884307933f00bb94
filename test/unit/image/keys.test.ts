import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { clientKey } from '../../../src/image/keys.ts'

let cacheDir: string
beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), 'vitest-raspi-keys-'))
})
afterEach(() => rmSync(cacheDir, { recursive: true }))

test('the key is for its owner only, its public half lies beside it', async () => {
  const { privateKeyFile, publicKey } = await clientKey(cacheDir)
  expect(statSync(privateKeyFile).mode & 0o777).toBe(0o600)
  expect(statSync(join(cacheDir, 'keys')).mode & 0o777).toBe(0o700)
  expect(publicKey).toMatch(/^ssh-ed25519 \S+ vitest-raspi$/)
  expect(readFileSync(`${privateKeyFile}.pub`, 'utf8')).toBe(`${publicKey}\n`)
})

test('all who come at the same time get the same key, and nothing is left over', async () => {
  const keys = await Promise.all(Array.from({ length: 4 }, () => clientKey(cacheDir)))
  expect(new Set(keys.map(({ publicKey }) => publicKey)).size).toBe(1)
  expect(readdirSync(join(cacheDir, 'keys')).sort()).toEqual(['id_ed25519', 'id_ed25519.pub'])
  expect(readdirSync(join(cacheDir, 'tmp'))).toEqual([])
})

test('a lost public half is made again from the private one', async () => {
  const { privateKeyFile, publicKey } = await clientKey(cacheDir)
  rmSync(`${privateKeyFile}.pub`)
  expect((await clientKey(cacheDir)).publicKey).toBe(publicKey)
  expect(readFileSync(`${privateKeyFile}.pub`, 'utf8')).toBe(`${publicKey}\n`)
})
