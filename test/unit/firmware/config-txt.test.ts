import { expect, test } from 'vitest'
import { readConfig } from '../../../src/firmware/config-txt.ts'
import { modelOf } from '../../../src/firmware/models.ts'

const read = async (text: string, { board = 'raspi3b', files = {} as Record<string, string> } = {}) => {
  const all: Record<string, string> = { 'config.txt': text, ...files }
  const { settings, notEmulated } = await readConfig(async (path) => all[path], modelOf({ name: board }))
  return { settings: settings.map(({ name, value }) => `${name} ${value}`.trim()), notEmulated }
}

test.for([
  ['name=value', 'arm_64bit=1', ['arm_64bit 1']],
  ['several values', 'dtparam=audio=on,spi=on', ['dtparam audio=on,spi=on']],
  ['no = at initramfs', 'initramfs initrd.img followkernel', ['initramfs initrd.img followkernel']],
  [
    'blanks and Windows line ends',
    '  kernel = vmlinuz \r\n\r\narm_64bit=1\r\n',
    ['kernel vmlinuz', 'arm_64bit 1'],
  ],
  ['comments', '# dtparam=spi=on\ndtparam=audio=on # sound\n#\n', ['dtparam audio=on']],
  ['an empty value', 'dtoverlay=\nkernel=', ['dtoverlay', 'kernel']],
  ['one name more than once', 'dtoverlay=a\ndtoverlay=b', ['dtoverlay a', 'dtoverlay b']],
] as const)('a setting is read: %s', async ([, text, settings]) => {
  expect(await read(text)).toEqual({ settings, notEmulated: [] })
})

test.for([
  ['raspi3b', ['all', 'pi3', 'pi3 or']],
  ['raspi3ap', ['all', 'pi3', 'pi3+', 'pi3 or']],
  ['raspi0', ['all', 'pi0']],
  ['raspi1ap', ['all', 'pi1']],
  ['raspi2b', ['all', 'pi2']],
  ['raspi4b', ['all', 'pi4', 'cm4']],
] as const)('the model filters of %s', async ([board, held]) => {
  const text = `a=all
[pi0]\na=pi0\n[pi0w]\na=pi0w\n[pi1]\na=pi1\n[pi2]\na=pi2\n[pi3]\na=pi3\n[pi3+]\na=pi3+\n[pi4]\na=pi4\n[pi400]\na=pi400
[pi5]\na=pi5\n[cm4]\na=no\n[board-type=0x14]\na=no\n[board-type=0x11]\na=cm4\n[none]\na=none\n[PI3]\na=pi3 or`
  expect((await read(text, { board })).settings).toEqual(held.map((value) => `a ${value}`))
})

test.for([
  ['[all] ends a filter', '[none]\na=1\n[all]\nb=1', ['b 1']],
  ['a filter replaces one of its type', '[pi4]\na=1\n[pi3]\nb=1', ['b 1']],
  ['board-type is of the type of the models', '[pi4]\na=1\n[board-type=0x08]\nb=1', ['b 1']],
  [
    'filters of different types add up',
    '[gpio4=1]\n[pi3]\na=1\n[gpio4=0]\nb=1\n[pi3]\nc=1\n[all]\nd=1',
    ['a 1', 'd 1'],
  ],
  ['free pins read as they are pulled', '[gpio4=1]\na=1\n[gpio17=0]\nb=1\n[gpio17=1]\nc=1', ['a 1', 'b 1']],
  ['no monitor is connected', '[EDID=VSC-TD2220]\na=1\n[all]\nb=1', ['b 1']],
  ['no serial number is the one', '[0x12345678]\na=1\n[all]\nb=1', ['b 1']],
  ['a port of HDMI filters nothing', '[HDMI:1]\na=1', ['a 1']],
  ['tryboot was not asked for', '[tryboot]\na=1\n[all]\nb=1', ['b 1']],
  ['an unknown filter filters nothing', '[pi4]\na=1\n[pi9]\nb=1\n[all]\n[pi9]\nc=1', ['c 1']],
] as const)('%s', async ([, text, settings]) => {
  expect((await read(text)).settings).toEqual(settings)
})

test('a filter whose outcome may differ on a real Pi is told', async () => {
  expect(
    (await read('[EDID=DEL-U2422H]\n[pi9]\n[pi4]\n[none]\n[all]\n[board-type=0x14]')).notEmulated,
  ).toEqual([
    '[EDID=DEL-U2422H]: an emulated Pi has no monitor',
    '[pi9]: the firmware does not know this filter and ignores it',
  ])
})

test('include puts the other file in, whose filters go on', async () => {
  const files = { 'usercfg.txt': 'b=1\n[pi4]\nc=1' }
  expect(await read('a=1\ninclude usercfg.txt\nd=1\n[all]\ne=1', { files })).toEqual({
    settings: ['a 1', 'b 1', 'e 1'],
    notEmulated: [],
  })
})

test('include of a filter that does not hold is not followed', async () => {
  expect(await read('[pi4]\ninclude nowhere.txt')).toEqual({ settings: [], notEmulated: [] })
})

test('include of nothing, or of itself, is told and the rest read', async () => {
  const files = { 'b.txt': 'include b.txt\nb=1' }
  expect(await read('include a.txt\ninclude b.txt\nc=1', { files })).toEqual({
    settings: ['b 1', 'c 1'],
    notEmulated: [
      'include a.txt: there is no such file, or it includes itself',
      'include b.txt: there is no such file, or it includes itself',
    ],
  })
})

test('what is behind the 98th character of a line is ignored and told', async () => {
  const { settings, notEmulated } = await read(`dtoverlay=${'x'.repeat(100)}\na=1\n# ${'y'.repeat(200)}`)
  expect(settings).toEqual([`dtoverlay ${'x'.repeat(88)}`, 'a 1'])
  expect(notEmulated).toEqual([
    expect.stringContaining('the firmware reads 98 characters of the line dtoverlay=xxx'),
  ])
})

test('no config.txt is an empty one', async () => {
  const none = await readConfig(async () => undefined, modelOf({ name: 'raspi3b' }))
  expect(none).toEqual({ settings: [], notEmulated: [] })
})
