import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'

/** What the figures were measured on. */
export function hostLine(): string {
  const [cpu] = cpus()
  const qemu = /version (\S+)/.exec(
    execFileSync('qemu-system-aarch64', ['--version'], { encoding: 'utf8' }),
  )?.[1]
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} cores (${cpu?.model ?? process.arch}), ${memory} GiB, QEMU ${qemu}, Node ${process.version}`
}
