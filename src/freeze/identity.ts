import { createHash, randomBytes } from 'node:crypto'
import ssh2 from 'ssh2'

/** What must differ between two Pis. */
export interface Identity {
  hostname: string
  /** 32 hexadecimal digits (https://www.freedesktop.org/software/systemd/man/latest/machine-id.html). */
  machineId: string
  mac: string
  /** The ssh host key of this Pi alone. */
  hostKey: { private: string; public: string }
}

/** A new identity for a Pi called `hostname`; its MAC is stable for the same `hostname`. */
export function newIdentity(hostname: string): Identity {
  return {
    hostname,
    machineId: randomBytes(16).toString('hex'),
    mac: macOf(hostname),
    hostKey: ssh2.utils.generateKeyPairSync('ed25519', { comment: `root@${hostname}` }),
  }
}

/**
 * A MAC made of a name, in the range of the Raspberry Pi Foundation (https://standards-oui.ieee.org): Linux calls a USB
 * NIC `eth0` only where its address is a universal one, else `usb0`.
 */
export function macOf(name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 3)
  return ['b8:27:eb', ...Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))].join(':')
}

/** A line of a known_hosts file for `key` at a port of 127.0.0.1. */
export function knownHost(port: number, key: string): string {
  return `[127.0.0.1]:${port} ${key.split(' ').slice(0, 2).join(' ')}\n`
}

/**
 * The script that makes a thawed Pi one of its own, for its service shell: clock, hostname, machine id, host key,
 * entropy. It prints `NETWORK` once the guest has a route to the host, for up to 60 s. Everything but the wait is done
 * while the kernel still enumerates the NIC, with as few processes as can be: each costs an emulated core 50 ms.
 * sshd needs no word of its new key: it reads its keys anew for each connection.
 */
export function identityScript({ hostname, machineId, hostKey }: Identity): string {
  return wake([
    'old=$(< /etc/machine-id); name=$(< /proc/sys/kernel/hostname); hosts=$(< /etc/hosts)',
    `echo ${machineId} > /etc/machine-id; echo ${hostname} > /proc/sys/kernel/hostname; echo ${hostname} > /etc/hostname`,
    `printf '%s\\n' "\${hosts//$name/${hostname}}" > /etc/hosts`,
    'umask 077',
    `printf '%s\\n' ${lines(hostKey.private).join(' ')} > /etc/ssh/ssh_host_ed25519_key`,
    'umask 022',
    `echo '${hostKey.public.trim()}' > /etc/ssh/ssh_host_ed25519_key.pub`,
    perl([...ownFiles, ...entropy()], `"$old" ${machineId}`),
  ])
}

/**
 * The same for a Pi that goes on as who it is, because it has been frozen with its identity: clock, entropy, and the wait
 * for the network. It changes nothing on the card.
 */
export function returnScript(): string {
  return wake([perl(entropy())])
}

function wake(work: string[]): string {
  return [
    clockScript(),
    ...work,
    // Builtins only while the kernel enumerates the NIC.
    'exec {never}<> <(:)',
    'for ((i = 0; i < 1200; i++)); do',
    '  mapfile -t routes < /proc/net/route',
    `  [[ "\${routes[*]}" == *$'\\t'00000000$'\\t'* ]] && { echo NETWORK; break; }`,
    '  read -r -t 0.05 -u "$never"',
    'done',
  ].join('\n')
}

/** A line of shell that sets the guest's clock to the host's: no Pi has a clock of its own. */
export function clockScript(): string {
  return `date -u -s @${(Date.now() / 1000).toFixed(3)} > /dev/null`
}

/** What the shell has no builtins for, in one process; every Debian has perl-base. */
function perl(statements: string[], args = ''): string {
  return ["perl -e '", ...statements, `' ${args}`].join('\n')
}

/**
 * The journal moves to the new machine id, where journalctl looks for it, and journald, which knows only the old one,
 * finds it by a link. Host keys of other kinds go.
 */
const ownFiles = [
  'my ($old, $new) = @ARGV;',
  'for (qw(/run/log/journal /var/log/journal)) { rename "$_/$old", "$_/$new" and symlink $new, "$_/$old" }',
  'unlink grep { !/ed25519/ } glob "/etc/ssh/ssh_host_*_key*";',
]

/**
 * Copies would draw the same random numbers (https://www.qemu.org/docs/master/system/vm-templating.html):
 * RNDADDENTROPY (0x40085203) credits a seed, RNDRESEEDCRNG (0x5207) uses it at once, random(4).
 */
const entropy = () => [
  'open my $random, ">", "/dev/random";',
  `my $seed = pack "iiH*", 512, 64, "${randomBytes(64).toString('hex')}";`,
  'ioctl $random, 0x40085203, $seed or print "SEED $!";',
  'ioctl $random, 0x5207, my $nothing = 0 or print "RESEED $!";',
]

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => `'${line}'`)
