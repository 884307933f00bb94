import { expect, test } from 'vitest'
import { bootContents } from '../../../src/firmware/boot-plan.ts'
import { nodeAt, parseFdt, stringOf } from '../../../src/firmware/fdt.ts'
import { boards, virt } from '../../../src/machine/boards.ts'
import { blobOf, type Tree } from './trees.ts'

const zImage = Buffer.alloc(64)
zImage.writeUInt32LE(0x016f2818, 36)

const pi3: Tree = {
  model: 'Raspberry Pi 3 Model B',
  aliases: { serial0: '/soc/serial@7e215040', serial1: '/soc/serial@7e201000' },
  soc: {
    'serial@7e201000': { bluetooth: { compatible: 'brcm,bcm43438-bt' } },
    'serial@7e215040': {},
    'spi@7e204000': { status: 'disabled' },
  },
}
const downstream: Tree = {
  ...pi3,
  chosen: { bootargs: '8250.nr_uarts=1', phandle: 1 },
  __overrides__: { audio: [1, "bootargs{on='snd.hdmi=1',off='snd.hdmi=0'}"], spi: [2, 'status'] },
}

type Files = Record<string, string | Buffer>
const debian: Files = {
  'config.txt': 'arm_64bit=1\nauto_initramfs=1\nenable_uart=1\n',
  'cmdline.txt': 'console=serial0,115200 root=/dev/mmcblk0p2\n',
  'kernel8.img': 'kernel 8',
  initramfs8: 'initramfs 8',
  'bcm2710-rpi-3-b.dtb': blobOf(pi3),
}

/** What `boot` starts; overlays become the text of which ones were applied. */
async function started(changes: Record<string, string | Buffer | undefined>, base = debian) {
  const files = { ...base, ...changes }
  const applied: string[] = []
  const contents = await bootContents(
    {
      read: async (path) => {
        const file = files[path.replace(/^\//, '')]
        return file === undefined ? undefined : Buffer.from(file)
      },
      list: async () => Object.keys(files).filter((name) => files[name] !== undefined && !name.includes('/')),
    },
    { ...boards.raspi3b, kernelParameters: ['usbcore.autosuspend=-1'] },
    async (tree, overlay) => {
      const { root } = parseFdt(overlay)
      const [label] = root.children
      if (root.properties.has('broken')) throw new Error('fdtoverlay cannot apply it: FDT_ERR_BADOVERLAY')
      applied.push([stringOf(root, 'name'), stringOf(label, 'label')].filter(Boolean).join(' '))
      return tree
    },
  )
  const tree = parseFdt(contents.deviceTree ?? Buffer.alloc(0))
  const { kernel, initramfs, commandLine, notEmulated } = contents
  return {
    kernel: String(kernel),
    initramfs: initramfs && String(initramfs),
    commandLine,
    notEmulated,
    tree,
    applied,
  }
}

test('the board virt takes kernel and initramfs of a boot part, and tells what it has no hardware for', async () => {
  const files = {
    ...debian,
    'config.txt': `${debian['config.txt']}[pi3]\ninitramfs none\n[all]\ndtparam=i2c_arm=on\ndtoverlay=disable-bt\n`,
  }
  const contents = await bootContents(
    {
      read: async (path) =>
        path in files ? Buffer.from(files[path as keyof typeof files] ?? '') : undefined,
      list: async () => Object.keys(files),
    },
    virt(2048, 2, 'tcg'),
    () => expect.unreachable(),
  )
  expect(contents).toEqual({
    kernel: Buffer.from('kernel 8'),
    initramfs: Buffer.from('initramfs 8'),
    deviceTree: undefined,
    commandLine: 'console=ttyAMA0,115200 root=/dev/mmcblk0p2 console=ttyAMA0,115200',
    notEmulated: [
      "dtparam=i2c_arm=on: the board virt has nothing of a Pi's hardware",
      "dtoverlay=disable-bt: the board virt has nothing of a Pi's hardware",
    ],
  })
})

test('an ordinary boot part boots with nothing left out', async () => {
  expect(await started({})).toMatchObject({
    kernel: 'kernel 8',
    initramfs: 'initramfs 8',
    commandLine: 'console=ttyAMA0,115200 root=/dev/mmcblk0p2 usbcore.autosuspend=-1',
    notEmulated: [],
  })
})

test.for<
  [
    what: string,
    changes: Record<string, string | Buffer | undefined>,
    kernel: string,
    initramfs: string | undefined,
  ]
>([
  [
    'kernel= names the kernel, and the initramfs after it',
    {
      'config.txt': 'kernel=kernel8-rt.img\nauto_initramfs=1',
      'kernel8-rt.img': 'rt',
      'initramfs8-rt': 'i-rt',
    },
    'rt',
    'i-rt',
  ],
  [
    'a kernel with a name of its own has no automatic initramfs',
    { 'config.txt': 'kernel=vmlinuz\nauto_initramfs=1', vmlinuz: 'v' },
    'v',
    undefined,
  ],
  [
    'initramfs names the initramfs',
    { 'config.txt': 'kernel=vmlinuz\ninitramfs initrd.img followkernel', vmlinuz: 'v', 'initrd.img': 'i' },
    'v',
    'i',
  ],
  [
    'initramfs goes before auto_initramfs',
    { 'config.txt': 'auto_initramfs=1\ninitramfs initrd.img', 'initrd.img': 'i' },
    'kernel 8',
    'i',
  ],
  [
    'several are one, each at a multiple of 4',
    { 'config.txt': 'initramfs a,b', a: 'aaaaa', b: 'bbbb' },
    'kernel 8',
    'aaaaa\0\0\0bbbb',
  ],
  ['without auto_initramfs there is none', { 'config.txt': 'arm_64bit=1' }, 'kernel 8', undefined],
  ['auto_initramfs without a file gives none', { initramfs8: undefined }, 'kernel 8', undefined],
  ['kernel8.img is taken where no 32-bit kernel is', { 'config.txt': undefined }, 'kernel 8', undefined],
  [
    'the section of another model does not count',
    { 'config.txt': '[pi4]\nkernel=k4\n[all]\narm_64bit=1' },
    'kernel 8',
    undefined,
  ],
  ['the last one counts', { 'config.txt': 'kernel=a\nkernel=b', b: 'b' }, 'b', undefined],
  [
    'a path from the uppermost directory',
    { 'config.txt': 'kernel=/dir/k.img', 'dir/k.img': 'k' },
    'k',
    undefined,
  ],
])('%s', async ([, changes, kernel, initramfs]) => {
  expect(await started(changes)).toMatchObject({ kernel, initramfs, notEmulated: [] })
})

test.for<[what: string, config: string, files: Files]>([
  ['without arm_64bit', '', { 'kernel7.img': zImage }],
  ['with arm_64bit=0', 'arm_64bit=0', { 'kernel.img': zImage }],
  ['by name', 'kernel=kernel7.img', { 'kernel7.img': zImage }],
])(
  'where the firmware starts a 32-bit kernel (%s), QEMU starts kernel8.img, and that is told',
  async ([, config, files]) => {
    const { kernel, initramfs, notEmulated } = await started({
      ...files,
      'config.txt': `${config}\nauto_initramfs=1`,
    })
    expect({ kernel, initramfs }).toEqual({ kernel: 'kernel 8', initramfs: 'initramfs 8' })
    expect(notEmulated).toEqual([
      expect.stringMatching(/^kernel7?\.img: QEMU's raspi3b starts 64-bit kernels only/),
    ])
  },
)

test('a 32-bit kernel alone cannot be started', async () => {
  await expect(
    started({ 'config.txt': '', 'kernel8.img': undefined, 'kernel7.img': zImage }),
  ).rejects.toMatchObject({
    kind: 'firmware',
    shortMessage: "kernel7.img is a 32-bit kernel, which QEMU's raspi3b cannot start.",
  })
})

test('without a kernel the error says what was looked for and what is there', async () => {
  await expect(started({ 'kernel8.img': undefined })).rejects.toMatchObject({
    kind: 'firmware',
    shortMessage:
      "The card's boot part has no kernel for the board raspi3b, kernel8.img; " +
      'it has bcm2710-rpi-3-b.dtb, cmdline.txt, config.txt, initramfs8.',
    hint: expect.stringContaining('config.txt'),
  })
})

test.for([
  [undefined, 'no device tree for the board raspi3b, bcm2710-rpi-3-b.dtb or bcm2837-rpi-3-b.dtb'],
  ['text', 'it is no device tree blob'],
] as const)('a device tree that is %j is an error', async ([file, message]) => {
  await expect(started({ 'bcm2710-rpi-3-b.dtb': file })).rejects.toThrow(message)
})

test('a device tree of the mainline name will do, and device_tree= names another', async () => {
  const other = blobOf({ ...pi3, model: 'mine' })
  const named = { 'config.txt': 'device_tree=my.dtb', 'my.dtb': other }
  const mainline = { 'bcm2710-rpi-3-b.dtb': undefined, 'bcm2837-rpi-3-b.dtb': other }
  for (const changes of [named, mainline]) {
    const { tree, notEmulated } = await started(changes)
    expect(stringOf(tree.root, 'model')).toBe('mine')
    expect(notEmulated).toEqual([])
  }
})

test('os_prefix goes before every file of the operating system', async () => {
  const { kernel, initramfs, commandLine, applied } = await started({
    'config.txt': 'arm_64bit=1\nauto_initramfs=1\nos_prefix=new/\ndtoverlay=a',
    'new/kernel8.img': 'new kernel',
    'new/initramfs8': 'new initramfs',
    'new/cmdline.txt': 'new',
    'new/bcm2710-rpi-3-b.dtb': blobOf(pi3),
    'new/overlays/README': 'here',
    'new/overlays/a.dtbo': blobOf({ name: 'new a' }),
    'overlays/a.dtbo': blobOf({ name: 'old a' }),
  })
  expect({ kernel, initramfs, applied }).toEqual({
    kernel: 'new kernel',
    initramfs: 'new initramfs',
    applied: ['new a'],
  })
  expect(commandLine).toMatch(/^new /)
})

test('os_prefix is ignored where its kernel or device tree is missing, and that is told', async () => {
  const { kernel, notEmulated } = await started({
    'config.txt': 'arm_64bit=1\nos_prefix=new/',
    'new/kernel8.img': 'new kernel',
  })
  expect(kernel).toBe('kernel 8')
  expect(notEmulated).toEqual([expect.stringContaining('os_prefix=new/: the firmware ignores it')])
})

test('without a README the overlays are shared by all prefixes', async () => {
  const { applied } = await started({
    'config.txt': 'arm_64bit=1\nos_prefix=new/\ndtoverlay=a',
    'new/kernel8.img': 'new kernel',
    'new/bcm2710-rpi-3-b.dtb': blobOf(pi3),
    'new/overlays/a.dtbo': blobOf({ name: 'new a' }),
    'overlays/a.dtbo': blobOf({ name: 'old a' }),
  })
  expect(applied).toEqual(['old a'])
})

test('cmdline= names another command line', async () => {
  expect((await started({ 'config.txt': 'cmdline=my.txt', 'my.txt': 'mine' })).commandLine).toMatch(/^mine /)
})

test('the first UART is free for the console: no Bluetooth chip below it, and it is serial0', async () => {
  const { tree } = await started({})
  expect(nodeAt(tree, '/soc/serial@7e201000')?.children).toEqual([])
  expect(stringOf(nodeAt(tree, '/aliases'), 'serial0')).toBe('/soc/serial@7e201000')
  expect(stringOf(nodeAt(tree, '/aliases'), 'serial1')).toBe('/soc/serial@7e215040')
})

test('the Bluetooth chip stays for who asks for its driver, and that is told', async () => {
  const { tree, notEmulated } = await started({ 'config.txt': 'dtparam=krnbt=on' })
  expect(nodeAt(tree, '/soc/serial@7e201000/bluetooth')).toBeDefined()
  expect(notEmulated).toContainEqual(
    expect.stringContaining('dtparam=krnbt=on: its driver takes the first UART'),
  )
  expect(
    nodeAt((await started({ 'config.txt': 'dtparam=krnbt=off' })).tree, '/soc/serial@7e201000/bluetooth'),
  ).toBeUndefined()
})

test('parameters of the device tree are set, and its kernel arguments passed on', async () => {
  const { commandLine, notEmulated } = await started({
    'config.txt': 'dtparam=audio=on',
    'bcm2710-rpi-3-b.dtb': blobOf(downstream),
  })
  expect(commandLine).toMatch(/^8250\.nr_uarts=1 snd\.hdmi=1 console=ttyAMA0,115200 /)
  expect(notEmulated).toEqual([])
})

test.for([
  ['spi=on', 'okay'],
  ['spi', 'okay'],
  ['spi=off', 'disabled'],
])('dtparam=%s switches the node of a device tree without parameters', async ([parameter, status]) => {
  const { tree, notEmulated } = await started({ 'config.txt': `dtparam=${parameter}` })
  expect(stringOf(nodeAt(tree, '/soc/spi@7e204000'), 'status')).toBe(status)
  expect(notEmulated).toEqual([])
})

test('overlays are applied in their order, each with its own parameters', async () => {
  const overlay = (name: string) =>
    blobOf({ name, x: { phandle: 9 }, __overrides__: { label: [9, 'label'] } })
  const { applied, tree, notEmulated } = await started({
    'config.txt':
      'dtoverlay=a\ndtparam=label=first\ndtoverlay=b,label=second\ndtoverlay=a\ndtparam=spi=on\ndtoverlay=\ndtparam=label=x',
    'overlays/a.dtbo': overlay('a'),
    'overlays/b.dtbo': overlay('b'),
  })
  expect(applied).toEqual(['a first', 'b second', 'a'])
  expect(stringOf(nodeAt(tree, '/soc/spi@7e204000'), 'status')).toBe('okay')
  expect(notEmulated).toEqual(['dtparam=label=x: there is no such parameter'])
})

test('everything else is listed once, each with its reason', async () => {
  const { notEmulated } = await started({
    'config.txt': `
camera_auto_detect=1
camera_auto_detect=1
enable_uart=0
dtparam=nonsense=1
dtoverlay=vc4-kms-v3d,cma-512
dtoverlay=broken
initramfs missing.img 0x00a00000
device_tree=
[pi4]
arm_boost=1`,
    'overlays/broken.dtbo': blobOf({ broken: '' }),
  })
  expect(notEmulated).toEqual([
    'device_tree=: a Linux of today needs a device tree, so it gets the usual one',
    'initramfs missing.img 0x00a00000: QEMU picks the address itself',
    'initramfs missing.img: there is no such file, the kernel starts without it',
    'dtparam=nonsense=1: there is no such parameter',
    'dtoverlay=vc4-kms-v3d: there is no overlay vc4-kms-v3d.dtbo on the boot part',
    'dtoverlay=broken: fdtoverlay cannot apply it: FDT_ERR_BADOVERLAY',
    'camera_auto_detect=1: nothing in QEMU heeds it',
    'enable_uart=0: nothing in QEMU heeds it',
  ])
})
