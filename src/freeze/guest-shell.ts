// Pieces of scripts for a guest's bash, where a process more costs an emulated core 50 ms.

/** Opens what {@link pause} reads from: a pipe into which nobody writes. Once in a script, before the first pause. */
export const openPause = 'exec {never}<> <(:)'

/** Waits for so many seconds by builtins alone. */
export const pause = (seconds: number) => `read -r -t ${seconds} -u "$never"`

/** What the shell has no builtins for, in one process; every Debian has perl-base. */
export function perl(statements: string[], args = ''): string {
  return ["perl -e '", ...statements, `' ${args}`].join('\n')
}

/** A line that sets the guest's clock to the host's: no Pi has a clock of its own. */
export function clockScript(): string {
  return `date -u -s @${(Date.now() / 1000).toFixed(3)} > /dev/null`
}

/** Says what there is to see of logins that do not come to an end: connections, NICs, who runs, what the system says. */
export const loginFindingsScript = `
ss -tn
ip -s link
cat /proc/loadavg
ps -eo pid,stat,wchan:20,time,args --sort=-time | head -25
dmesg | tail -8
journalctl -n 15 --no-pager -o short-monotonic
`
