/** What a frame is. remote.py has the same. */
export const kinds = {
  /** The command to run, as JSON. */
  begin: 'B',
  /** Bytes of a channel. */
  data: 'D',
  /** The end of a channel's bytes in this direction. */
  end: 'E',
  /** The end of a channel, whatever is on its way. */
  reset: 'R',
  /** How many bytes more the sender has room for. */
  room: 'W',
  /** The command's exit code. */
  exit: 'X',
  /** A signal for the command. */
  signal: 'S',
  /** Listen on the port that is the channel's number; answered with why that cannot be, if so. */
  listen: 'L',
  /** A new channel: a connection to a port. */
  open: 'O',
} as const
