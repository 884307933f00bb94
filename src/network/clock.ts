let offset = performance.timeOrigin

/**
 * The time as ms since 1970, with microseconds: never another millisecond than `Date.now()` tells, so that both can be
 * compared.
 */
export function preciseNow(): number {
  const whole = Date.now()
  const now = offset + performance.now()
  if (now >= whole && now < whole + 1) return now
  const clamped = now < whole ? whole : whole + 0.999
  offset += clamped - now
  return clamped
}
