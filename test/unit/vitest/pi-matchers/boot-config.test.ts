import { describe, expect, test } from 'vitest'
import { answeringTarget } from '../../pi/probes/local-target.ts'
import { expectPi, failure } from './expect-pi.ts'

const config = `# For more options
dtparam=i2c_arm=on,spi=on  # buses
gpu_mem=16
arm_64bit = 1
[pi4]
gpu_mem=128
[all]
dtoverlay=disable-bt
dtoverlay=vc4-kms-v3d
gpu_mem=64
`
const pi = answeringTarget({
  texts: { '/boot/firmware/config.txt': config, '/boot/config.txt': 'DO NOT EDIT\n' },
})

describe('toHaveBootConfig', () => {
  test('accepts what is in force in a section', async () => {
    await expectPi(pi).toHaveBootConfig('dtparam=i2c_arm=on')
    await expectPi(pi).toHaveBootConfig('dtparam=spi=on')
    await expectPi(pi).toHaveBootConfig('dtoverlay=disable-bt')
    await expectPi(pi).toHaveBootConfig('arm_64bit=1')
    await expectPi(pi).toHaveBootConfig('gpu_mem=64')
    await expectPi(pi).toHaveBootConfig('gpu_mem=128', { section: 'pi4' })
    await expectPi(pi).not.toHaveBootConfig('gpu_mem=128')
    await expectPi(pi).not.toHaveBootConfig('gpu_mem=16')
    await expectPi(pi).not.toHaveBootConfig('enable_uart=1')
    await expectPi(answeringTarget({ texts: { '/boot/config.txt': config } })).toHaveBootConfig('gpu_mem=64')
  })

  test('knows that a later parameter overrides one of its name, where it is for the same overlay', async () => {
    const text = `dtparam=audio=on
dtparam=speed=1
dtoverlay=one
dtparam=speed=2
dtoverlay=two
dtparam=speed=3,speed=4
dtoverlay=
[pi4]
dtparam=audio=on
dtoverlay=dwc2
[all]
dtparam=audio=off
`
    const pi = answeringTarget({ texts: { '/boot/firmware/config.txt': text } })
    await expectPi(pi).not.toHaveBootConfig('dtparam=audio=on')
    await expectPi(pi).toHaveBootConfig('dtparam=audio=on', { section: 'pi4' })
    await expectPi(pi).toHaveBootConfig('dtparam=audio=off')
    for (const speed of [1, 2, 4]) await expectPi(pi).toHaveBootConfig(`dtparam=speed=${speed}`)
    await expectPi(pi).not.toHaveBootConfig('dtparam=speed=3')
  })

  test('tells the entries that there are instead', async () => {
    expect(await failure(() => expectPi(pi).toHaveBootConfig('gpu_mem=16'))).toMatchInlineSnapshot(`
      "expect(pi).toHaveBootConfig("gpu_mem=16") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  gpu_mem=16 in section all
      Received:  gpu_mem=128 in section pi4; gpu_mem=64 in section all

      /boot/firmware/config.txt:
        dtparam=i2c_arm=on in section all
        dtparam=spi=on in section all
        gpu_mem=16 in section all
        arm_64bit=1 in section all
        gpu_mem=128 in section pi4
        dtoverlay=disable-bt in section all
        dtoverlay=vc4-kms-v3d in section all
        gpu_mem=64 in section all"
    `)
    expect(await failure(() => expectPi(pi).toHaveBootConfig('dtparam=i2c_arm=off'))).toContain(
      'Received:  dtparam=i2c_arm=on in section all\n',
    )
    expect(await failure(() => expectPi(pi).toHaveBootConfig('gpu_mem=128'))).toMatchInlineSnapshot(`
      "expect(pi).toHaveBootConfig("gpu_mem=128") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  gpu_mem=128 in section all
      Received:  gpu_mem=128 in section pi4"
    `)
    const none = answeringTarget({ texts: {} })
    expect(await failure(() => expectPi(none).toHaveBootConfig('gpu_mem=16'))).toContain(
      'Received:  neither /boot/firmware/config.txt nor /boot/config.txt',
    )
  })
})
