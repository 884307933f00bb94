/**
 * Why a frame did not get to a port: `queue`: more came than the Pi took; `storm`: too many floods at once; `filtered`: no
 * switch forwards it (a sender that is no single address, an address reserved for the link); the others are faults.
 */
export const dropReasons = ['queue', 'storm', 'filtered', 'unplugged', 'partition', 'loss', 'rate'] as const

/** See {@link dropReasons}. */
export type DropReason = (typeof dropReasons)[number]

/** A number of frames, and of their bytes without preamble and checksum. */
export interface Traffic {
  frames: number
  bytes: number
}

/** What has gone through a port since it was made. */
export interface PortStatistics {
  /** From the Pi into the switch. */
  received: Traffic
  /** From the switch towards the Pi. */
  sent: Traffic
  /**
   * Frames that were not sent on, by reason. What does not get into the switch (`storm`, `filtered`, and what a slow or
   * unplugged link keeps back) counts at the port that it came from, all else at the port that it was for.
   */
  dropped: Record<DropReason, number>
}

/** Statistics with nothing in them yet. */
export function noTraffic(): PortStatistics {
  return {
    received: { frames: 0, bytes: 0 },
    sent: { frames: 0, bytes: 0 },
    dropped: Object.fromEntries(dropReasons.map((reason) => [reason, 0])) as Record<DropReason, number>,
  }
}
