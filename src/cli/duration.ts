import { InvalidArgumentError } from 'commander'

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** The longest that a timer of Node's can wait: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const longestMs = 2 ** 31 - 1

/** Reads `90s`, `30m`, `8h` or `2d`, for commander; gives ms. Throws what commander shows where it is none of these. */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  if (!count || !unit) throw new InvalidArgumentError('Write it as 90s, 30m, 8h or 2d.')
  return Number(count) * units[unit as keyof typeof units]
}

/** The same for the age of something, of which a bare number is days. */
export function parseAge(text: string): number {
  return parseDuration(/^\d+(?:\.\d+)?$/.test(text) ? `${text}d` : text)
}

/** The same for how long a lab stands: longer than nothing, and not longer than a timer can wait. */
export function parseLifetime(text: string): number {
  const ms = parseDuration(text)
  if (ms > 0 && ms <= longestMs) return ms
  throw new InvalidArgumentError('It has to be longer than nothing and at most 24d.')
}

/** Reads a whole number from `least` to `most`, for commander. */
export function parseCount(least: number, most: number): (text: string) => number {
  return (text) => {
    const count = Number(text)
    if (/^\d+$/.test(text) && count >= least && count <= most) return count
    throw new InvalidArgumentError(`It has to be a whole number from ${least} to ${most}.`)
  }
}

/** A time in ms, for people who want to know it roughly: `42 s`, `5 min`, `8 h`, `2 h 30 min`, `3 d`. */
export function roughly(ms: number): string {
  const seconds = Math.round(Math.max(0, ms) / 1000)
  if (seconds < 90) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours >= 48) return `${Math.round(hours / 24)} d`
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
}
