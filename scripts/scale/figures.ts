import { readFileSync } from 'node:fs'

/** What was measured on one host, as `npm run bench -- --json FILE` writes it. */
export interface Bench {
  /** `2 cores (AMD EPYC), 24 GiB, QEMU 7.2.22, Node v24.21.0` */
  host: string
  readyLeaseMs: number
  parallel: { 1: number; 4: number }
  privateMemoryBytes: number
  cardBytes: number
  frozenBytes: number
  suiteFreshMs?: number
}

/** What a Pi costs, in seconds and bytes. */
export interface Costs {
  /** What a thaw takes of processors, in core-seconds, and how many it keeps busy at most. */
  thaw: { work: number; cores: number }
  /** From the request to the first command of a Pi that is ready. */
  readySeconds: number
  /** Memory that is a Pi's alone. */
  pi: number
  /** What all Pis of a frozen one read, once a machine. */
  frozen: number
  /** What a Pi writes until its first command. */
  card: number
}

/** Reads a bench's figures. Throws where one is missing. */
export function readBench(file: string): Bench {
  const bench = JSON.parse(readFileSync(file, 'utf8')) as Partial<Bench>
  const wanted = [
    'host',
    'readyLeaseMs',
    'parallel',
    'privateMemoryBytes',
    'cardBytes',
    'frozenBytes',
  ] as const
  const missing = wanted.filter((name) => bench[name] === undefined)
  if (missing.length > 0)
    throw new Error(`${file} lacks ${missing.join(', ')}: run \`npm run bench -- --json FILE\`.`)
  return bench as Bench
}

/** How many cores the host of a bench had. */
export function coresOf({ host }: Bench): number {
  const cores = Number(/^(\d+) cores?/.exec(host)?.[1])
  if (cores > 0) return cores
  throw new Error(`The bench does not tell how many cores its host had: "${host}".`)
}

/**
 * What the figures come to. Of four thaws at once the host's cores have no moment to spare, so that they tell what one takes of
 * them; one alone tells how many it can use.
 */
export function costsOf(bench: Bench): Costs {
  const cores = coresOf(bench)
  const work = (cores * bench.parallel[4]) / 4 / 1000
  return {
    // Where four hinder each other, that comes to more than there are.
    thaw: { work, cores: Math.min(cores, Math.max(1, work / (bench.parallel[1] / 1000))) },
    readySeconds: bench.readyLeaseMs / 1000,
    ...{ pi: bench.privateMemoryBytes, frozen: bench.frozenBytes, card: bench.cardBytes },
  }
}
