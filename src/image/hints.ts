/** What to do about a failed build, by what its last lines say. */
const hints: [RegExp, string][] = [
  [
    /can neither be executed natively|exec format error/i,
    'Programs of the Pi cannot run here. Install qemu-user-static and arch-test (Debian, Ubuntu). In a container, register\n' +
      'them on its host: docker run --privileged --rm tonistiigi/binfmt --install arm64,arm',
  ],
  [
    /debian-security.*mirror sync in progress/i,
    'The mirror’s security updates are out of step with themselves. Try again in an hour, let the host’s apt use another\n' +
      'mirror, or build without them: securityUpdates: false, --no-security-updates.',
  ],
  [
    /mirror sync in progress|hash sum mismatch/i,
    'The mirror is out of step with itself. Try again in an hour, or let the host’s apt use another mirror.',
  ],
  [/no space left/i, 'Make room, or set VITEST_RASPI_CACHE to a directory on another disk.'],
  [
    /NO_PUBKEY|EXPKEYSIG|is not signed|keyring/i,
    'The archive’s signature cannot be checked. Install or update debian-archive-keyring.',
  ],
  [
    /could not resolve|temporary failure resolving|could not connect|unable to connect|failed to fetch|timed out/i,
    'Debian’s mirror (deb.debian.org) could not be reached. Check the network; a proxy is taken from http_proxy.',
  ],
  [
    /newuidmap|newgidmap|subuid|uid_map|unshare failed/i,
    'Building without root needs the package uidmap, a range for you in /etc/subuid and /etc/subgid, and a kernel that\n' +
      'allows user namespaces; in a container, CAP_SYS_ADMIN. Or build once elsewhere and share the cache directory.',
  ],
]

/** The hint that fits `evidence`, the last lines of a failed command. */
export function hintFor(evidence: string): string {
  return (
    hints.find(([pattern]) => pattern.test(evidence))?.[1] ??
    'The last lines of the build say why; then try again.'
  )
}
