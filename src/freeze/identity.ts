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
 * while the kernel still enumerates the NIC.
 */
export function identityScript({ hostname, machineId, hostKey }: Identity): string {
  return [
    clockScript(),
    // Readers that are already running keep the old machine id; they are told by a restart, before their network comes.
    'old=$(cat /etc/machine-id)',
    `echo ${machineId} > /etc/machine-id`,
    `for d in /run/log/journal /var/log/journal; do [ -d $d/$old ] && mv $d/$old $d/${machineId}; done`,
    'h=$(hostname)',
    `hostname ${hostname}; echo ${hostname} > /etc/hostname; sed -i "s/\\b$h\\b/${hostname}/g" /etc/hosts`,
    'rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub',
    `(umask 077; cat > /etc/ssh/ssh_host_ed25519_key <<'KEY'\n${hostKey.private.trim()}\nKEY\n)`,
    `echo '${hostKey.public.trim()}' > /etc/ssh/ssh_host_ed25519_key.pub`,
    'systemctl reload ssh.service',
    'systemctl --no-block restart systemd-journald.service systemd-networkd.service',
    entropyScript(),
    // Builtins only: each fork costs an emulated core dearly just now.
    'exec {never}<> <(:)',
    'for ((i = 0; i < 1200; i++)); do',
    '  mapfile -t routes < /proc/net/route',
    '  [[ "${routes[*]}" == *$\'\\t\'00000000$\'\\t\'* ]] && { echo NETWORK; break; }',
    '  read -r -t 0.05 -u "$never"',
    'done',
  ].join('\n')
}

/** A line of shell that sets the guest's clock to the host's: no Pi has a clock of its own. */
export function clockScript(): string {
  return `date -u -s @${(Date.now() / 1000).toFixed(3)} > /dev/null`
}

/** Copies would draw the same random numbers: https://www.qemu.org/docs/master/system/vm-templating.html */
function entropyScript(): string {
  const seed = randomBytes(64).toString('hex')
  // RNDADDENTROPY (0x40085203) credits the seed, RNDRESEEDCRNG (0x5207) uses it at once: random(4).
  const python = [
    'import fcntl,struct',
    `b=bytes.fromhex("${seed}")`,
    'f=open("/dev/random","wb")',
    'fcntl.ioctl(f,0x40085203,struct.pack("ii",512,64)+b)',
    'fcntl.ioctl(f,0x5207)',
  ].join(';')
  return `python3 -c '${python}' &`
}
