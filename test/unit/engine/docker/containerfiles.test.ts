import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { imageForAnsible } from '../../../../src/control-node/image.ts'
import { imageForPis, type OwnImage } from '../../../../src/engine/docker/images.ts'
import { ansiblePackages, debianRelease, qemuPackages } from '../../../support/dockerd.ts'

test.for<[string, OwnImage, string[]]>([
  ['Pis', imageForPis, qemuPackages],
  ['Ansible', imageForAnsible, ansiblePackages],
])('what system tests have %s run in has what ours is built of', ([, { containerfile }, packages]) => {
  const text = readFileSync(containerfile, 'utf8')
  const [, release] = /^FROM debian:(\w+)-slim$/m.exec(text) ?? []
  const [, installed = ''] = /apt-get install -y --no-install-recommends (.*) \\$/m.exec(text) ?? []
  expect(release).toBe(debianRelease)
  expect(installed).not.toBe('')
  expect(packages).toEqual(expect.arrayContaining(installed.split(' ')))
})
