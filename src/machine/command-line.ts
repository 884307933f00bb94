import { isAtLeast } from '../host/programs.ts'
import type { Board } from './boards.ts'
import { type Nics, nicParts, virtSlots } from './nics.ts'
import type { Place } from './place.ts'

/** Everything that distinguishes one QEMU process from another. */
export interface MachineSpec {
  board: Board
  /** The qcow2 overlay the Pi writes to. */
  card: string
  /** What the boot ROM would have loaded. None for a machine whose state comes in from a frozen one. */
  boot?:
    | {
        kernel: string
        initramfs?: string | undefined
        /** By default QEMU's own, which only the board `virt` has. */
        deviceTree?: string | undefined
        commandLine: string
      }
    | undefined
  /** A file that holds the Pi's RAM: shared to freeze it, copied on write to thaw it. By default anonymous memory. */
  memory?: { file: string; mode: 'shared' | 'copy-on-write' } | undefined
  /** The NICs that are there from the start. A Pi that is to be frozen has none: QEMU cannot migrate `usb-net`. */
  nics?: Nics | undefined
  /** Waits paused for an incoming state instead of booting. */
  incoming?: boolean | undefined
  /** Size of QEMU's translation buffer in MiB. */
  translationBufferMiB?: number | undefined
  /**
   * Whether each emulated core has a thread of its own. One for all needs a quarter less processor time and is no slower
   * where the host has two cores. @default 'single' on up to two cores, else 'multi'
   */
  threads?: 'single' | 'multi' | undefined
}

/** The files of a machine: its sockets at its place, its logs on this host. */
export const machineFiles = {
  qmp: 'qmp',
  gdb: 'gdb',
  console: 'console.log',
  /** Both ways, for one at a time: who connects must read, since the guest waits for him. */
  serial: 'serial',
  log: 'qemu.log',
  service: 'service',
} as const

/** QEMU's arguments for `spec` at `place`. Pure: the same spec gives the same arguments. */
export function qemuArguments(
  spec: MachineSpec,
  place: Pick<Place, 'dir' | 'consoleFile' | 'qemuVersion' | 'segments' | 'cores'>,
): string[] {
  const { board, memory, boot, nics } = spec
  const { dir, consoleFile } = place
  const socket = (name: string) => `unix:${dir}/${name},server=on,wait=off`
  const args = [
    ...['-machine', memory ? `${machineOf(board)},memory-backend=ram` : machineOf(board)],
    ...['-m', String(board.memoryMiB)],
    ...processorOf(spec, place.cores),
    ...['-nodefaults', '-display', 'none', '-no-user-config'],
    // A reboot has to come back to us: only we can re-read the boot partition, as the boot ROM does.
    '-no-reboot',
    ...['-qmp', socket(machineFiles.qmp)],
    ...['-gdb', socket(machineFiles.gdb)],
    ...[
      '-chardev',
      `socket,id=console,path=${dir}/${machineFiles.serial},server=on,wait=off,logfile=${consoleFile},logappend=on`,
      '-serial',
      'chardev:console',
    ],
    ...['-chardev', `socket,id=service,path=${dir}/${machineFiles.service},server=on,wait=off`],
    ...(board.parts === 'raspi' ? raspiParts : virtioParts),
    ...['-drive', `${cardDrive[board.parts]},format=qcow2,discard=unmap,file=${escaped(spec.card)}`],
  ]
  if (memory) {
    const share = memory.mode === 'shared' ? 'share=on' : privately(place.qemuVersion)
    const path = escaped(memory.file)
    args.push('-object', `memory-backend-file,id=ram,size=${board.memoryMiB}M,mem-path=${path},${share}`)
  }
  if (boot) {
    args.push('-kernel', boot.kernel, '-append', boot.commandLine)
    if (boot.deviceTree) args.push('-dtb', boot.deviceTree)
    if (boot.initramfs) args.push('-initrd', boot.initramfs)
  }
  if (nics) {
    const { netdevs, devices } = nicParts(board, nics, place)
    for (const netdev of netdevs) args.push('-netdev', JSON.stringify(netdev))
    for (const device of devices) args.push('-device', JSON.stringify(device))
  }
  if (spec.incoming) args.push('-incoming', 'defer')
  return args
}

const machineOf = ({ name, processor }: Board) =>
  processor?.accelerator === 'kvm' ? `${name},gic-version=host` : name

/** A Pi 4's cores, where nothing else runs them than QEMU; a Pi 3 has its own. */
const emulatedCore = 'cortex-a72'

function processorOf(
  { board, threads, translationBufferMiB = 256 }: MachineSpec,
  hostCores: number,
): string[] {
  const { processor } = board
  const cores = processor ? ['-smp', String(processor.cores)] : []
  if (processor?.accelerator === 'kvm') return ['-accel', 'kvm', '-cpu', 'host', ...cores]
  const threading = threads ?? threadsFor(hostCores)
  const accelerator = ['-accel', `tcg,thread=${threading},tb-size=${translationBufferMiB}`]
  return [...accelerator, ...(processor ? ['-cpu', emulatedCore] : []), ...cores]
}

/**
 * Whether this QEMU can map a frozen RAM without opening its file for writing, upon which a container would have a copy of
 * all of it. https://www.qemu.org/docs/master/system/vm-templating.html
 */
export const mapsWithoutWriting = (qemuVersion: string) => isAtLeast(qemuVersion, '8.2')

/** A private mapping. */
const privately = (qemuVersion: string) =>
  mapsWithoutWriting(qemuVersion) ? 'share=off,readonly=on,rom=off' : 'share=off'

/** A Pi's second UART. */
const raspiParts = ['-serial', 'chardev:service']

/** The same on `virt`, whose only other UART belongs to the secure world, the card, and slots for NICs to be plugged into. */
const virtioParts = [
  ...['-device', 'pci-serial,chardev=service,addr=2'],
  ...['-device', 'virtio-blk-pci,drive=card,addr=3'],
  ...virtSlots.flatMap((id, index) => [
    '-device',
    `pcie-root-port,id=${id},chassis=${index + 1},addr=${index + 4}`,
  ]),
]

/**
 * What the guest has flushed of a card on virtio need not be on the host's disk at once, as little as that of a card in
 * `if=sd`: where the host loses its power, the Pi is lost anyway.
 */
const cardDrive = { raspi: 'if=sd', virtio: 'if=none,id=card,cache=unsafe' }

/** QEMU's names of these drives. */
export const cardDevice = { raspi: 'sd0', virtio: 'card' }

const threadsFor = (cores: number) => (cores <= 2 ? 'single' : 'multi')

/** QEMU's key=value syntax reads a comma as the next key, and two as one comma. */
const escaped = (path: string) => path.replaceAll(',', ',,')
