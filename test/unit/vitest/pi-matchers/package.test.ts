import { describe, expect, test } from 'vitest'
import { answeringTarget, target } from '../../pi/probes/local-target.ts'
import { expectPi, failure } from './expect-pi.ts'

const installed = { status: 'installed', version: '1.22.1-9+deb12u3' }

describe('toHavePackage', () => {
  test('accepts an installed package, and one whose every comparison holds', async () => {
    await expectPi(answeringTarget(installed)).toHavePackage('nginx')
    const pi = answeringTarget({ ...installed, satisfied: [true, true] })
    await expectPi(pi).toHavePackage('nginx', { version: '>=1.22 <2' })
    const other = answeringTarget({ ...installed, satisfied: [true, false] })
    await expectPi(other).not.toHavePackage('nginx', { version: '>=1.22 <1.22.1' })
    await expectPi(answeringTarget({ status: 'config-files', version: '1' })).not.toHavePackage('nginx')
  })

  test.for([
    ['1.22.1-9+deb12u3', [['eq', '1.22.1-9+deb12u3']]],
    [
      '>=1.2 <2',
      [
        ['ge', '1.2'],
        ['lt', '2'],
      ],
    ],
    [
      '> 1:1.2~rc1  <= 2',
      [
        ['gt', '1:1.2~rc1'],
        ['le', '2'],
      ],
    ],
    ['=1', [['eq', '1']]],
  ] as const)('has dpkg compare %j', async ([version, versions]) => {
    let input = ''
    const pi = target(async (_command, options) => {
      input = options?.input ?? ''
      return { exitCode: 0, stdout: JSON.stringify({ root: true, answers: [installed] }), stderr: '' }
    })
    await expectPi(pi).toHavePackage('nginx', { version })
    const [, queries] = /\nmain\((.*)\)\n$/.exec(input) ?? []
    expect(JSON.parse(queries ?? '')).toEqual([{ kind: 'package', name: 'nginx', versions }])
  })

  test.for(['', 'latest', '^1.2', '1.2 1.3', '>=', '>>1'])(
    'refuses %j, which is no version',
    async (version) => {
      const pi = answeringTarget(installed)
      expect(await failure(async () => expectPi(pi).toHavePackage('nginx', { version }))).toMatch(
        /is no version\n/,
      )
    },
  )

  test('tells the version that is there instead', async () => {
    const pi = answeringTarget({ ...installed, satisfied: [false] })
    expect(
      await failure(() => expectPi(pi).toHavePackage('nginx', { version: '>=1.24' })),
    ).toMatchInlineSnapshot(`
      "expect(pi).toHavePackage("nginx") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  version >=1.24
      Received:  version 1.22.1-9+deb12u3"
    `)
  })

  test('lists packages with a like name', async () => {
    const pi = answeringTarget({
      status: 'not-installed',
      similar: ['nginx-common 1.22.1-9', 'nginx-light 1.22.1-9'],
    })
    expect(await failure(() => expectPi(pi).toHavePackage('nginx'))).toMatchInlineSnapshot(`
      "expect(pi).toHavePackage("nginx") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  installed
      Received:  not installed

      Installed packages with a like name:
        nginx-common 1.22.1-9
        nginx-light 1.22.1-9"
    `)
  })
})
