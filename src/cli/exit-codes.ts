/** What the exit codes of `vitest-raspi` mean. 70 is EX_SOFTWARE of sysexits(3): https://man.freebsd.org/sysexits */
export const exitCodes = { ok: 0, failed: 1, usage: 2, fault: 70 } as const

/** The exit codes for the end of every help text. */
export const exitCodesHelp = `
Exit codes:
  0   everything is as it should be
  1   something is missing on this host, or what was asked for failed
  2   the command line is wrong
  70  vitest-raspi itself is at fault: please report it`
