import { expect, test } from 'vitest'
import { isImageName, registryOf, split } from '../../../src/host/oci-names.ts'

test.for([
  ['pis', ['pis', 'latest']],
  ['pis:1', ['pis', '1']],
  ['host:5000/pis', ['host:5000/pis', 'latest']],
  ['host:5000/a/pis:b', ['host:5000/a/pis', 'b']],
] as const)('%s is a repository and a tag', ([name, parts]) => {
  expect(split(name)).toEqual(parts)
})

test.for([
  ['pis:1', 'docker.io'],
  ['team/pis', 'docker.io'],
  ['registry.example/pis:1', 'registry.example'],
  ['localhost/pis', 'localhost'],
  ['127.0.0.1:5000/team/pis:1', '127.0.0.1:5000'],
] as const)('%s is of the registry %s', ([name, registry]) => {
  expect(registryOf(name)).toBe(registry)
})

test.for([
  ['pis', true],
  ['pis:1', true],
  ['Registry.Example:5000/team/my_pis:v1.0', true],
  ['registry.example/Pis', false],
  ['pis:', false],
  ['pis:-1', false],
  ['my pis', false],
  ['https://registry.example/pis', false],
  ['registry.example/', false],
])('%s is an image’s name: %s', ([name, is]) => {
  expect(isImageName(String(name))).toBe(is)
})
