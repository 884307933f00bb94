import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { withBootFiles } from '../../../src/firmware/boot-files.ts'
import { readBootPlan } from '../../../src/firmware/boot-plan.ts'
import { boards } from '../../../src/machine/boards.ts'

/** A card of 68 KiB, gzipped: MBR, then from sector 8 a FAT12 with a Pi's files and overlays/README. */
const card = gunzipSync(
  Buffer.from(
    `
      H4sIAAAAAAACA+3cT2sTQRzG8V+i0j9ajYiieHDQi2Kz3U1b24MFWxul2FatURRR2U2mdsluNuyuSkGkL8H3IHgQj94E8Q0UPHrw
      6EWK4NGTOtuk2kgF0Yu23w8ZZuCZmWxmw+7kkBXB/8h13n3I6h7Zle+VbtNa+oNZrj5jJQEAAABga1g5/TiszyfWvJtKPpeTvOSX
      5HNOCqa1ZklOPD2RPPGiKJ1PVObceMUpmXr3kVc3Hz4/+jrdee3F7pddsly4vfKp9H75wPKhlS+VBT9R5tWIUuWqbLTrBVrV/KRu
      KXUp0G6ild9IdNyRzwdRs7mo3Eatr7cZ6yQxzUVV14sqjVQam+Su6zeUZVmqr5cT+FeuPvv8dVUkXZ+ymiXZYjj/W9u6i3q3yOHJ
      B7ce3GrVrfzitfLc9PiNKyYvdHfkrfvD2Yuz56bOK1W5XlEHO/JtsivLZyanp2bLG+Tb5aTJL5TnZsvTo2pq5vxP+Q55t0Nkoiie
      WFKTVPbIZc+M+NrWauU8qUooJRnJckdsKUosTfFNz6IMysTZmdKI88iZrEyozs/XLcdynH8AAAAAAAAAAAAAAAAAAAAAAAAAAAAA
      wL/BUt8VZIP/91vWr/LW+Lny+ORMudWhM++RLpb3n+fG4Z1TQ56fjjk8TGcLqkaNJAr0WKJj3w3sfscZLtm2iqMoHRuo6fsDYVj1
      grrdLPH12IzqAIBN53eu/2/6vnwUyR0zzVFTmz2+HDdlrymFdpd9przdYOja07O2mXIga8Ru0vR0HC82/f7BYhjVdFD02n3dwHcT
      naz132/KzoEkqg60Nh5nRnTJGbaH7Pac2Y+PnIlXx/7oYju2vdol5wX3dGo2KQs/jiE7ZvHiatjvVcOhwaHB0aKXrpsv3znX97fL
      rys91ShsuqnvBVraW6LNff+PtVsLNXs7AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
      AAAAAAAAAAAAAAAA/B++AXPyaZ4AEAEA
    `,
    'base64',
  ),
)
const dir = mkdtempSync(join(tmpdir(), 'boot-files-'))
afterAll(() => rmSync(dir, { recursive: true }))
const file = (name: string, content: Buffer) => {
  const path = join(dir, name)
  writeFileSync(path, content, { mode: 0o400 })
  return path
}
const wholeCard = { path: file('card', card), partition: 1 }
const bootPart = { path: file('part', card.subarray(8 * 512)) }

test.for([
  ['part 1 of a card', wholeCard],
  ['a boot part alone', bootPart],
] as const)('%s is read', async ([, source]) => {
  await withBootFiles(source, async (files) => {
    expect((await files.list()).toSorted()).toEqual([
      'bcm2710-rpi-3-b.dtb',
      'cmdline.txt',
      'config.txt',
      'kernel8.img',
      'overlays',
    ])
    expect(String(await files.read('config.txt'))).toBe('arm_64bit=1\n')
    expect(String(await files.read('/overlays/README'))).toBe('readme\n')
    expect(await files.read('kernel8.img')).toEqual(Buffer.alloc(1500, 'k'))
  })
})

test('a file that is not there is none, nor is a directory or what is below a file', async () => {
  await withBootFiles(bootPart, async (files) => {
    for (const path of ['nothing', 'overlays', 'nowhere/README', 'config.txt/README']) {
      expect(await files.read(path)).toBeUndefined()
    }
  })
})

test('what is thrown while the files are read comes through as it is', async () => {
  const error = new Error('mine')
  await expect(withBootFiles(bootPart, () => Promise.reject(error))).rejects.toBe(error)
})

test.for([
  ['nothing of a file system', { path: file('noise', Buffer.alloc(8192, 'x')) }],
  ['no file', { path: join(dir, 'nowhere') }],
  ['no such partition', { ...wholeCard, partition: 3 }],
] as const)('%s is an error that says what a Pi boots from', async ([, source]) => {
  await expect(withBootFiles(source, async () => {})).rejects.toMatchObject({
    kind: 'firmware',
    shortMessage: expect.stringContaining("The card's boot part cannot be read: "),
    hint: expect.stringContaining('FAT32'),
  })
})

test('a boot plan names files that only their owner may read', async () => {
  const plan = await readBootPlan(wholeCard, boards.raspi3b, join(dir, 'plan'))
  expect(plan).toEqual({
    kernel: join(dir, 'plan/kernel'),
    deviceTree: join(dir, 'plan/device-tree.dtb'),
    commandLine: expect.stringMatching(/^console=ttyAMA0,115200 root=\/dev\/mmcblk0p2 /),
    notEmulated: [],
  })
  expect(readFileSync(plan.kernel)).toEqual(Buffer.alloc(1500, 'k'))
  for (const path of [plan.kernel, join(dir, 'plan/device-tree.dtb')])
    expect(statSync(path).mode & 0o777).toBe(0o600)
})
