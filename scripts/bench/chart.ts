import { type Measured, median, type Results, seconds, titles } from './results.ts'

const shown: Measured[] = ['copyBoot', 'coldBoot', 'thaw', 'readyLease', 'suiteCold', 'suiteFresh']
const colours: Partial<Record<Measured, string>> = {
  thaw: '#0a7d4f',
  readyLease: '#0a7d4f',
  suiteFresh: '#0a7d4f',
}
const row = 34
const left = 250
const width = 460

/** Draws the times as bars: single Pis on one scale, the suites on another. */
export function chart(results: Results): string {
  const bars = shown.flatMap((what) => {
    const ms = median(results.samples[what])
    return ms === undefined ? [] : [{ what, ms }]
  })
  const longest = (suite: boolean) =>
    Math.max(1, ...bars.filter(({ what }) => what.startsWith('suite') === suite).map(({ ms }) => ms))
  const lines = bars.map(({ what, ms }, index) => {
    const y = 16 + index * row
    const length = Math.max(2, (ms / longest(what.startsWith('suite'))) * width)
    return `  <text x="${left - 12}" y="${y + 16}" text-anchor="end">${titles[what]}</text>
  <rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="22" rx="3" fill="${colours[what] ?? '#8a8f98'}"/>
  <text x="${left + length + 8}" y="${y + 16}">${seconds(ms)}</text>`
  })
  const height = 16 + bars.length * row + 26
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 90} ${height}" role="img" aria-label="Time to a Pi's first command, and of a suite of ten tests">
  <style>text { font: 14px system-ui, sans-serif; fill: #57606a } @media (prefers-color-scheme: dark) { text { fill: #c9d1d9 } }</style>
${lines.join('\n')}
  <text x="${left}" y="${height - 8}" style="font-size: 11px">${results.host.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>
</svg>
`
}
