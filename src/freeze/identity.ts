import { createHash, randomBytes } from 'node:crypto'
import ssh2 from 'ssh2'
import { type GuestNetworks, networksScript, nicsScript, reloadNetworks } from './guest-networks.ts'
import { clockScript, openPause, pause, perl } from './guest-shell.ts'
import { renameInHosts } from './hosts-file.ts'
import { lingerDir, lingersForUs } from './warm.ts'

/** What must differ between two Pis. */
export interface Identity {
  hostname: string
  /** 32 hexadecimal digits (https://www.freedesktop.org/software/systemd/man/latest/machine-id.html). */
  machineId: string
  mac: string
  /** The ssh host key of this Pi alone. */
  hostKey: { private: string; public: string }
  /** The networks it is on beside the one that ssh comes by. @default none */
  networks?: GuestNetworks | undefined
}

/** A public key that a user has to accept. */
export interface NewKey {
  user: string
  key: string
}

/** A new identity for a Pi called `hostname`; its MAC is stable for the same `hostname`. */
export function newIdentity(hostname: string, networks?: GuestNetworks): Identity {
  return {
    hostname,
    machineId: randomBytes(16).toString('hex'),
    mac: macOf(hostname),
    hostKey: newHostKey(`root@${hostname}`),
    networks,
  }
}

/**
 * A key pair for an sshd. ssh2 drops a leading zero byte of the public key, which makes one pair in 256 of no use to OpenSSH
 * (https://github.com/mscdex/ssh2/issues/1390): its own parser knows such a pair, and another one is made.
 */
export function newHostKey(comment: string): Identity['hostKey'] {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment })
    const parsed = [pair.private, pair.public].map((key) => ssh2.utils.parseKey(key))
    if (!parsed.some((key) => key instanceof Error)) return pair
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
 * entropy. It prints `NETWORK` once the guest has an address, within 40 s or not at all. Everything else is done while the kernel
 * still enumerates the NIC, with as few processes as can be: each costs an emulated core 50 ms. udev and networkd have
 * their turn in {@link settleScript}; they come to the same address.
 * sshd needs no word of its new key: it reads its keys anew for each connection. Where it was frozen elsewhere it accepts
 * `newKey` from then on.
 */
export function identityScript(
  { hostname, machineId, mac, hostKey, networks }: Identity,
  newKey?: NewKey,
): string {
  return wake([
    'old=$(< /etc/machine-id); name=$(< /proc/sys/kernel/hostname)',
    `echo ${machineId} > /etc/machine-id; echo ${hostname} > /proc/sys/kernel/hostname; echo ${hostname} > /etc/hostname`,
    'umask 077',
    `printf '%s\\n' ${lines(hostKey.private).join(' ')} > /etc/ssh/ssh_host_ed25519_key`,
    'umask 022',
    `echo '${hostKey.public.trim()}' > /etc/ssh/ssh_host_ed25519_key.pub`,
    perl([...ownFiles, ...entropy()], `"$old" ${machineId} "$name" ${hostname}`),
    ...(networks ? [networksScript(networks, mac)] : []),
    ...(newKey ? [`echo '${newKey.key}' >> ~${newKey.user}/.ssh/authorized_keys`] : []),
  ])
}

/**
 * The same for a Pi that goes on as who it is, because it has been frozen with its identity: clock, entropy, NICs, and the wait
 * for the network. It changes nothing on the card.
 */
export function returnScript({ mac, networks }: Pick<Identity, 'mac' | 'networks'>): string {
  return wake([perl(entropy()), ...(networks ? [nicsScript(networks, mac)] : [])])
}

function wake(work: string[]): string {
  return [
    clockScript(),
    `network='${slirpAddress.join('\n')}'`,
    ...work,
    // Builtins only while the kernel enumerates the NIC.
    openPause,
    'for ((i = 0; i < 800; i++)); do',
    '  [[ -e /sys/class/net/eth0 ]] && { ip -batch - <<< "$network" && echo NETWORK; break; }',
    `  ${pause(0.05)}`,
    'done',
    '[[ -e /sys/class/net/eth0 ]] || dmesg | tail -n 20',
  ].join('\n')
}

/** What slirp's DHCP server would tell the guest, https://www.qemu.org/docs/master/system/devices/net.html */
const slirpAddress = [
  'link set eth0 up',
  'address add 10.0.2.15/24 dev eth0',
  'route add default via 10.0.2.2 dev eth0',
]

/** slirp's name server, https://www.qemu.org/docs/master/system/devices/net.html */
const slirpNames = '10.0.2.3'

/**
 * Lines of shell by which a power cut takes nothing of what makes the Pi this one, once `user` has logged in and thus need not
 * linger any more. Run before the Pi has a holder: later this would save what a test means to lose.
 */
export const keepScript = (user: string) =>
  `[ -e ${lingersForUs} ] && rm -f ${lingersForUs} ${lingerDir}/${user}\nsync -f /`

/**
 * Lines of shell for what cannot wait for {@link settleScript}, but need not be waited for: names can be looked up. That is by
 * systemd-resolved until networkd tells it of the NIC, or else by a `resolv.conf` without a server, which whoever writes it
 * writes again.
 */
export const soonScript = [
  `[ -e /run/systemd/resolve/stub-resolv.conf ] && resolvectl dns eth0 ${slirpNames}`,
  `[ ! -s /etc/resolv.conf ] || [[ $(< /etc/resolv.conf) == *nameserver* ]] || echo 'nameserver ${slirpNames}' >> /etc/resolv.conf`,
].join('\n')

/**
 * Lines of shell that do what the warming left undone: udev, and after it networkd and resolved, learn of the NIC. They change
 * nothing on the card, and a boot does the same.
 */
export const settleScript = (networks?: GuestNetworks) =>
  `${networks ? `${reloadNetworks}; ` : ''}udevadm control --start-exec-queue`

/** What nearly every test does first: a command, a command as root, one of Ansible's modules. */
export const firstCommands =
  "true; sudo -n true; python3 -c 'import json, ast, zipfile, base64, runpy, tempfile'"

/**
 * Waits, for up to 20 s, until networkd is done with the NIC and the guest has spent nine tenths of 0.4 s idle. Builtins
 * only: what is waited for must not be what waits. Idle time is the fourth number of /proc/stat, in ticks of 10 ms on
 * each of four cores, proc_stat(5).
 */
export const quietScript = [
  `${openPause}; old=`,
  'for ((i = 0; i < 50; i++)); do',
  '  read -r _ _ _ _ idle _ < /proc/stat',
  '  done=; for link in /run/systemd/netif/links/*; do [[ $(< "$link") == *ADMIN_STATE=configured* ]] && done=1; done',
  '  [[ $done && $old ]] && ((idle - old >= 144)) && break',
  `  old=$idle; ${pause(0.4)}`,
  'done',
].join('\n')

/**
 * The journal moves to the new machine id, where journalctl looks for it, and journald, which knows only the old one,
 * finds it by a link. Host keys of other kinds go. /etc/hosts has the new name.
 */
const ownFiles = [
  'my ($old, $new, $name, $hostname) = @ARGV;',
  'for (qw(/run/log/journal /var/log/journal)) { rename "$_/$old", "$_/$new" and symlink $new, "$_/$old" }',
  'unlink grep { !/ed25519/ } glob "/etc/ssh/ssh_host_*_key*";',
  ...renameInHosts,
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
