import type { Span } from '../../src/host/spans.ts'

/** The measured values of a run, by the name of what was measured; ms, bytes or bytes a second. */
export interface Results {
  host: string
  samples: Partial<Record<Measured, number[]>>
  /** The phases of the last sample, where they are known. */
  spans: Record<string, Span[]>
  /** When the run began that has a sample, as ISO 8601; what has the same was measured side by side. */
  measured?: Partial<Record<Measured, string>>
}

/** What is measured. */
export type Measured =
  | 'copyBoot'
  | 'coldBoot'
  | 'thaw'
  | 'readyLease'
  | 'parallel1'
  | 'parallel2'
  | 'parallel4'
  | 'upThaw'
  | 'upEach'
  | 'privateMemory'
  | 'card'
  | 'frozen'
  | 'suiteFresh'
  | 'suiteCold'
  | 'switch'
  | 'piNetwork'
  | 'powerStatus'
  | 'virtColdBoot'
  | 'virtThaw'
  | 'virtReadyLease'
  | 'dockerThaw'
  | 'dockerReadyLease'
  | 'playbookPlain'
  | 'playbookShared'
  | 'playbookMitogen'
  | 'playbookAll'
  | 'loopAlone'
  | 'loopTold'
  | 'evidenceFailed'
  | 'evidenceAll'

export const titles: Record<Measured, string> = {
  copyBoot: 'copy the image, grow it, boot',
  coldBoot: 'boot on an overlay',
  thaw: 'thaw',
  readyLease: 'take a ready one',
  parallel1: 'one at once',
  parallel2: 'two at once',
  parallel4: 'four at once',
  upThaw: 'a thaw beside `up`',
  upEach: 'each of four by `vitest-raspi up`, until the prompt',
  privateMemory: 'private memory of a Pi',
  card: 'its card',
  frozen: 'a frozen Pi on the disk',
  suiteFresh: '10 tests, thawed Pis',
  suiteCold: '10 tests, cold boots',
  switch: 'the switch between Pis, by itself',
  piNetwork: 'one stream from a Pi to another',
  powerStatus: '`ipmitool power status` of a busy Pi',
  virtColdBoot: '`virt`, 2 GiB and 2 cores: boot on an overlay',
  virtThaw: '`virt`: thaw',
  virtReadyLease: '`virt`: take a ready one',
  dockerThaw: "in a container of Docker's: thaw",
  dockerReadyLease: "in a container of Docker's: take a ready one",
  playbookPlain: "the quickstart's playbook, by itself",
  playbookShared: "the same over the lab's connection",
  playbookMitogen: "the same with `accelerate: 'auto'`",
  playbookAll: 'the same with both',
  loopAlone: 'a loop of 5,000 items on this host, Ansible alone',
  loopTold: 'the same by `ansible.playbook()`',
  evidenceFailed: 'what evidence and report take of a suite that passes',
  evidenceAll: "the same with `evidence: 'all'`",
}

const inBytes: Measured[] = ['privateMemory', 'card', 'frozen']
const inBytesPerSecond: Measured[] = ['switch', 'piNetwork']
const shares: Measured[] = ['evidenceFailed', 'evidenceAll']

export function keep(results: Results, what: Measured, value: number): void {
  const samples = results.samples[what] ?? []
  samples.push(value)
  results.samples[what] = samples
}

/** The results of a run that began `at`, beside those of an earlier run of this host for what this one left out. */
export function besides(earlier: Results | undefined, results: Results, at: string): Results {
  const now = Object.fromEntries(Object.keys(results.samples).map((what) => [what, at]))
  return {
    host: results.host,
    samples: { ...earlier?.samples, ...results.samples },
    spans: { ...earlier?.spans, ...results.spans },
    measured: { ...earlier?.measured, ...now },
  }
}

export function median(values: readonly number[] | undefined): number | undefined {
  const sorted = [...(values ?? [])].sort((a, b) => a - b)
  const [below, above] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]]
  return below === undefined || above === undefined ? undefined : (below + above) / 2
}

/** The figures by the keys that other tools read; medians, rounded. Ratios are of one run, or there is none. */
export function figuresOf({ samples, measured = {} }: Results) {
  const of = (what: Measured) => {
    const value = median(samples[what])
    return value === undefined ? undefined : Math.round(value)
  }
  const ratio = (slow: Measured, fast: Measured, digits = 1) => {
    const [a, b] = [median(samples[slow]), median(samples[fast])]
    const together = measured[slow] === measured[fast]
    return a === undefined || b === undefined || !together ? undefined : Number((a / b).toFixed(digits))
  }
  return {
    copyBootMs: of('copyBoot'),
    coldBootMs: of('coldBoot'),
    thawMs: of('thaw'),
    readyLeaseMs: of('readyLease'),
    thawRatio: ratio('coldBoot', 'thaw'),
    readyRatio: ratio('coldBoot', 'readyLease'),
    parallel: { 1: of('parallel1'), 2: of('parallel2'), 4: of('parallel4') },
    upRatio: ratio('upEach', 'upThaw', 2),
    privateMemoryBytes: of('privateMemory'),
    cardBytes: of('card'),
    frozenBytes: of('frozen'),
    suiteFreshMs: of('suiteFresh'),
    suiteColdMs: of('suiteCold'),
    switchBytesPerSecond: of('switch'),
    piNetworkBytesPerSecond: of('piNetwork'),
    switchRatio: ratio('switch', 'piNetwork', 0),
    powerStatusMs: of('powerStatus'),
    virtMs: { coldBoot: of('virtColdBoot'), thaw: of('virtThaw'), readyLease: of('virtReadyLease') },
    dockerMs: { thaw: of('dockerThaw'), readyLease: of('dockerReadyLease') },
    dockerThawRatio: ratio('dockerThaw', 'thaw', 2),
    playbookMs: {
      plain: of('playbookPlain'),
      shared: of('playbookShared'),
      mitogen: of('playbookMitogen'),
      all: of('playbookAll'),
    },
    loopRatio: ratio('loopTold', 'loopAlone', 3),
    evidenceShare: { failed: median(samples.evidenceFailed), all: median(samples.evidenceAll) },
  }
}

/** The results as a Markdown table: median, spread, and how many times faster than a cold boot. */
export function table({ host, samples }: Results): string {
  const rows = (Object.keys(titles) as Measured[]).flatMap((what) => {
    const values = samples[what]
    const middle = median(values)
    if (!values || middle === undefined) return []
    const show = (value: number) => shown(what, value)
    const spread = values.length > 1 ? `${show(Math.min(...values))} – ${show(Math.max(...values))}` : ''
    return [`| ${titles[what]} | ${show(middle)} | ${spread} | ${ratioOf(what, middle, samples)} |`]
  })
  return [
    '| | median | spread | |',
    '| --- | ---: | ---: | --- |',
    ...rows,
    '',
    `Measured in one run on ${host}. Times of single Pis are to the first command that succeeded.`,
  ].join('\n')
}

const slowerThan: Partial<Record<Measured, Measured>> = {
  thaw: 'coldBoot',
  readyLease: 'coldBoot',
  suiteFresh: 'suiteCold',
  virtThaw: 'virtColdBoot',
  virtReadyLease: 'virtColdBoot',
}

function ratioOf(what: Measured, middle: number, samples: Results['samples']): string {
  const slower = slowerThan[what]
  const base = slower && median(samples[slower])
  if (slower)
    return base === undefined ? '' : `${(base / middle).toFixed(1)} times faster than ${titles[slower]}`
  const network = median(samples.piNetwork)
  if (what === 'switch' && network) return `${(middle / network).toFixed(0)} times a stream between two Pis`
  const thaw = median(samples.thaw)
  if (what === 'dockerThaw' && thaw) return `${(middle / thaw).toFixed(2)} times as long as without`
  const plain = median(samples.playbookPlain)
  if (/playbook(Shared|Mitogen|All)/.test(what) && plain)
    return `${(plain / middle).toFixed(1)} times faster than by itself`
  const alone = median(samples.loopAlone)
  if (what === 'loopTold' && alone) return `${(middle / alone).toFixed(2)} times Ansible alone`
  const single = median(samples.upThaw)
  if (what === 'upEach' && single) return `${(middle / single).toFixed(2)} times a thaw`
  const one = median(samples.parallel1)
  return /parallel[24]/.test(what) && one ? `${(middle / one).toFixed(1)} times one` : ''
}

export const seconds = (ms: number) => `${(ms / 1000).toFixed(ms < 9_950 ? 2 : 1)} s`
function shown(what: Measured, value: number): string {
  if (shares.includes(what)) return `${(value * 100).toFixed(1)} %`
  if (inBytesPerSecond.includes(what)) return `${megabytes(value)}/s`
  return inBytes.includes(what) ? megabytes(value) : seconds(value)
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 995_000 ? 2 : 1)} MB`
