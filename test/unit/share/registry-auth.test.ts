import { MockAgent } from 'undici'
import { expect, test } from 'vitest'
import { challengeOf, RegistryAuth } from '../../../src/share/registry-auth.ts'

const realm = 'https://auth.example/token'

test.for([
  ['Basic realm="a registry"', { scheme: 'basic' }],
  [`Bearer realm="${realm}",service="x, y",scope="a"`, { scheme: 'bearer', realm, service: 'x, y' }],
  [`bearer service=x, realm=${realm}`, { scheme: 'bearer', realm, service: 'x' }],
  [[`Basic realm="other"`, `Bearer realm="${realm}"`], { scheme: 'bearer', realm, service: undefined }],
  [`Bearer realm="${realm}", Basic realm="other"`, { scheme: 'bearer', realm, service: undefined }],
  ['Negotiate', undefined],
  ['Bearer error="x"', undefined],
  [undefined, undefined],
] as const)('%s', ([header, challenge]) => {
  expect(challengeOf(typeof header === 'object' ? [...header] : header)).toEqual(challenge)
})

test('a registry of this host does not have the password sent in the clear to another one', async () => {
  const client = new MockAgent()
  client.disableNetConnect()
  const token = JSON.stringify({ token: 'a token' })
  for (const origin of ['http://auth.example', 'http://127.0.0.1:5001'])
    client
      .get(origin)
      .intercept({ path: /^\/token/ })
      .reply(200, token)
  const login = async () => ({ username: 'me', password: 'secret' })
  const auth = new RegistryAuth({ repository: 'pis', login, isLocal: true, client })
  const answer = (realm: string) =>
    auth.answer(`Bearer realm="${realm}"`, 'pull', new AbortController().signal)
  await expect(answer('http://auth.example/token')).rejects.toThrow(
    'its token server auth.example would have the password in the clear',
  )
  expect(await answer('http://127.0.0.1:5001/token')).toBe(true)
  expect(auth.header('pull')).toBe('Bearer a token')
  await client.close()
})
