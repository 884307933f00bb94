import { expect, test } from 'vitest'
import { challengeOf } from '../../../src/share/registry-auth.ts'

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
