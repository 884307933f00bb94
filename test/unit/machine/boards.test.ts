import { expect, test } from 'vitest'
import type { BoardOption } from '../../../src/board-option.ts'
import { boardOf } from '../../../src/machine/boards.ts'
import { qemuArguments } from '../../../src/machine/command-line.ts'

const withKvm = () => true
const without = () => false

test('a name or a name with sizes chooses a board', () => {
  expect(boardOf('raspi3ap', withKvm)).toMatchObject({ name: 'raspi3ap', memoryMiB: 512 })
  expect(boardOf('virt', without)).toMatchObject({ id: 'virt-1024-2-tcg', memoryMiB: 1024 })
  expect(boardOf({ name: 'virt', memoryMiB: 4096, cores: 4 }, withKvm)).toMatchObject({
    id: 'virt-4096-4-kvm',
    memoryMiB: 4096,
    processor: { cores: 4, accelerator: 'kvm' },
  })
})

test.for([
  ['raspi2b', /raspi2b cannot be used: it runs 32-bit kernels only/],
  ['raspi1ap', /raspi1ap cannot be used: it runs 32-bit kernels only/],
  ['raspi0', /raspi0 cannot be used: it runs 32-bit kernels only/],
  ['raspi4b', /raspi4b cannot be used: .*no NIC fits; { name: 'virt'/],
  ['raspi9', /Choose one of raspi3b, raspi3ap, virt, or { name: 'virt'/],
  [{ name: 'raspi3b', memoryMiB: 2048 }, /Choose one of/],
  [{ name: 'virt', memoryMiB: 64 }, />=256\s+→ at memoryMiB/],
] as const)('the board %j is refused with the reason', ([option, why]) => {
  expect(() => boardOf(option as BoardOption)).toThrow(why)
})

const place: Parameters<typeof qemuArguments>[1] = {
  ...{ dir: '/d', consoleFile: '/d/console.log', qemuVersion: '7.2.22', cores: 2 },
  segments: 'connect',
}

const argumentsOf = (option: BoardOption, kvm = without) =>
  qemuArguments(
    {
      board: boardOf(option, kvm),
      card: '/c,ard',
      boot: { kernel: '/kernel', commandLine: 'quiet' },
      nics: { mac: 'b8:27:eb:00:00:01' },
      threads: 'single',
    },
    place,
  ).join(' ')

test.for([
  ['7.2.22', 'mem-path=/ram,share=off'],
  ['8.1.5', 'mem-path=/ram,share=off'],
  ['8.2.0', 'mem-path=/ram,share=off,readonly=on,rom=off'],
  ['10.0.2', 'mem-path=/ram,share=off,readonly=on,rom=off'],
] as const)('QEMU %s maps a frozen RAM as gently as it can', ([qemuVersion, memory]) => {
  const spec = { board: boardOf('raspi3b', without), card: '/card' }
  const args = qemuArguments(
    { ...spec, memory: { file: '/ram', mode: 'copy-on-write' } },
    { ...place, qemuVersion },
  )
  expect(args.at(-1)).toBe(`memory-backend-file,id=ram,size=1024M,${memory}`)
})

test('a Pi has its card in its slot and its NIC on USB', () => {
  const line = argumentsOf('raspi3ap')
  expect(line).toContain('-machine raspi3ap -m 512 -accel tcg,thread=single,tb-size=256 ')
  expect(line).toContain(' -serial chardev:service -drive if=sd,format=qcow2,discard=unmap,file=/c,,ard')
  expect(line).toContain('"driver":"usb-net","bus":"usb-bus.0"')
  expect(line).not.toMatch(/-smp|-cpu|virtio|-dtb/)
})

test('virt has its card and its NIC on PCI, and a processor as was wished', () => {
  const line = argumentsOf({ name: 'virt', memoryMiB: 2048, cores: 3 })
  expect(line).toContain('-machine virt -m 2048 -accel tcg,thread=single,tb-size=256 -cpu cortex-a72 -smp 3 ')
  expect(line).toContain('-drive if=none,id=card,')
  expect(line).toContain('"driver":"virtio-net-pci","bus":"slot0","romfile":""')
  expect(line).not.toMatch(/usb|if=sd|-dtb/)
})

test('where the host is arm64 with KVM, its own processor runs virt, and a Pi is emulated still', () => {
  expect(argumentsOf('virt', withKvm)).toContain(
    '-machine virt,gic-version=host -m 1024 -accel kvm -cpu host -smp 2 ',
  )
  expect(argumentsOf('raspi3b', withKvm)).toContain('-accel tcg,')
})
