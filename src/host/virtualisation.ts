import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { execa } from 'execa'
import type { Check } from './check.ts'
import { type HostContext, systemPath } from './context.ts'
import { programsNamed } from './programs.ts'

const name = 'virtualisation'
const emulated = 'Arm is emulated on this host, KVM is not needed'

/**
 * What the host's processor does for virtual machines. On x86 that is for information, as nothing of it serves an Arm
 * guest; on arm64 whether /dev/kvm opens, which only the `virt` board can use: QEMU emulates a Pi's board anyway.
 */
export async function checkVirtualisation(context: HostContext): Promise<Check> {
  const check = { name, group: 'run', status: 'ok' } as const
  if (context.platform !== 'linux') return { ...check, found: emulated }
  if (context.arch !== 'arm64') return { ...check, found: `${await extensions(context)}; ${emulated}` }
  const problem = await whyKvmFails(context)
  if (!problem) return { ...check, found: '/dev/kvm opens' }
  const remedy =
    problem === 'ENOENT'
      ? 'nothing is to be done for emulated Pis; the virt board is slower without KVM'
      : 'sudo usermod -aG kvm "$USER", then log in anew (only the virt board uses it)'
  return { ...check, status: 'warning', found: `/dev/kvm does not open: ${problem}`, remedy }
}

async function extensions(context: HostContext): Promise<string> {
  const [lscpu] = await programsNamed('lscpu', context)
  if (!lscpu) return 'lscpu is missing'
  const { stdout = '' } = await execa(lscpu, {
    env: { ...context.env, LC_ALL: 'C' },
    extendEnv: false,
    reject: false,
    timeout: 10_000,
  })
  const kind = field(stdout, 'Virtualization')
  const hypervisor = field(stdout, 'Hypervisor vendor')
  const seen = `lscpu shows ${kind ?? 'neither VT-x nor AMD-V'}`
  return hypervisor ? `${seen} (this is a guest of ${hypervisor})` : seen
}

const field = (text: string, title: string) => new RegExp(`^${title}: *(.+)$`, 'm').exec(text)?.[1]

async function whyKvmFails(context: HostContext): Promise<string | undefined> {
  try {
    const file = await open(systemPath(context, '/dev/kvm'), constants.O_RDWR)
    await file.close()
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}
