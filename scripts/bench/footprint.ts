import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { toFirstCommand, withLab } from './lab.ts'
import { keep, type Results } from './results.ts'

/** What a Pi costs of memory and disk at its lease. */
export async function measureFootprint(
  results: Results,
  rounds: number,
  say: (line: string) => void,
): Promise<void> {
  await withLab({ readyPis: 0 }, say, async (lab) => {
    for (let round = 0; round < rounds; round++) {
      const { lease } = await toFirstCommand(lab)
      const dir = dirname(lease.pis[0]?.consoleFile ?? '')
      keep(results, 'privateMemory', privateBytes(pidOf(dir)))
      keep(results, 'card', statSync(join(dir, 'card.qcow2')).blocks * 512)
      await lab.release(lease.id)
    }
    // The newest is the one that was thawed here.
    const frozen = join(lab.cacheDir, 'frozen')
    const [newest] = readdirSync(frozen)
      .filter((name) => /^[0-9a-f]{64}$/.test(name))
      .map((name) => join(frozen, name))
      .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
    const sizes = newest ? readdirSync(newest).map((name) => statSync(join(newest, name)).blocks * 512) : []
    keep(results, 'frozen', sum(sizes))
  })
}

/** The QEMU whose sockets are in `dir`. */
function pidOf(dir: string): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const found = pids.find((pid) => {
    const [program, ...args] = commandLine(pid)
    return /qemu-system/.test(program ?? '') && args.some((arg) => arg.includes(`${dir}/`))
  })
  if (!found) throw new Error(`No QEMU works in ${dir}.`)
  return Number(found)
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}

/** Memory that is this process's alone, in bytes: the private lines of proc_pid_smaps_rollup(5). */
function privateBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return sum(
    [...text.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].map(([, kilobytes]) => Number(kilobytes) * 1024),
  )
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
