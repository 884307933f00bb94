import { quote } from '../host/quote.ts'
import { openPause, pause } from './guest-shell.ts'

/** A NIC of a Pi as its guest is to know it. */
export interface GuestNic {
  /** The network it is on, `mgmt`. */
  network: string
  mac: string
  /** What the guest calls it: `eth1` is the first of them. */
  interface: string
  /** Its address with the length of the network's prefix, `10.77.1.11/24`; none where the guest finds one itself. */
  address?: string | undefined
  /** Whether it gets that address by DHCP. @default false */
  dhcp?: boolean | undefined
}

/** The networks of a Pi as its guest is to know them. */
export interface GuestNetworks {
  nics: readonly GuestNic[]
  /** Lines of /etc/hosts: its peers by name. */
  hosts: readonly string[]
}

/**
 * Lines of bash that make a Pi one of its networks: they write what its card is to tell of them, and do the work of
 * {@link nicsScript}. Run as root, before networkd or NetworkManager hears of the NICs: what is written for these is for
 * after a reboot too.
 */
export function networksScript(networks: GuestNetworks, mac: string): string {
  return [
    // On lines of their own: the tty that this comes by takes 4095 bytes of one.
    `printf '%s\\n' ${quote(networks.hosts.join('\n'))} >> /etc/hosts`,
    ...networks.nics.flatMap(files),
    nicsScript(networks, mac),
  ].join('\n')
}

/**
 * Lines of bash that wait, for up to 40 s, until the kernel has enumerated all of `nics` and the one of `mac` that ssh comes
 * by, give them the names that they are to have (that one `eth0`), and set them up. Run as root. They print `MISSING` with
 * each MAC that has not come.
 */
export function nicsScript({ nics }: GuestNetworks, mac: string): string {
  const names = [`${mac}=eth0`, ...nics.map((nic) => `${nic.mac}=${nic.interface}`)]
  return [
    `wanted=(${names.join(' ')})`,
    nameScript,
    `ip -batch - << 'END'`,
    ...nics.flatMap(({ interface: name, address, dhcp }) => [
      `link set ${name} up`,
      ...(address && !dhcp ? [`address add ${address} dev ${name}`] : []),
    ]),
    'END',
    missingScript,
  ].join('\n')
}

/** Waits for the NICs in `wanted`. The order in which a hub's ports come up is the kernel's: each gets the name of its place. */
const nameScript = `
declare -A named=(); ${openPause}
for ((i = 0; i < 800; i++)); do
  for link in /sys/class/net/*; do read -r mac < $link/address && named[$mac]=\${link##*/}; done
  missing=; for pair in \${wanted[*]}; do [[ \${named[\${pair%=*}]} ]] || missing=1; done
  [[ $missing ]] || break
  ${pause(0.05)}
done
moved=; for pair in \${wanted[*]}; do [[ \${named[\${pair%=*}]} == \${pair#*=} ]] || moved=1; done
if [[ $moved && ! $missing ]]; then
  for pair in \${wanted[*]}; do now=\${named[\${pair%=*}]}; ip link set $now down; ip link set $now name was-\${pair#*=}; done
  for pair in \${wanted[*]}; do ip link set was-\${pair#*=} name \${pair#*=}; done
  ip link set eth0 up
fi`

/** The MACs of the NICs that {@link nicsScript} says have not come, in its `output`. */
export const missingNics = (output: string): string[] =>
  [...output.matchAll(/MISSING (\S+)/g)].map(([, mac]) => mac as string)

const missingScript = `for pair in \${wanted[*]}; do [[ \${named[\${pair%=*}]} ]] || echo MISSING \${pair%=*}; done`

/** Waits, for up to a minute, until the NICs of all these MACs are up, as any user. It fails where they do not come up. */
export const nicsUpScript = (macs: readonly string[]): string =>
  [
    'for i in $(seq 60); do',
    '  up=$(ip -oneline link show up); down=',
    `  for mac in ${macs.join(' ')}; do case $up in *$mac*) ;; *) down=1 ;; esac; done`,
    '  [ "$down" ] || exit 0',
    '  sleep 1',
    'done',
    'exit 1',
  ].join('\n')

/** Has what manages the guest's network read the files of {@link networksScript}. */
export const reloadNetworks = 'networkctl reload 2> /dev/null; nmcli connection reload 2> /dev/null; true'

/**
 * What keeps the set-up over reboots, for either manager: networkd where it has its directory, NetworkManager where that
 * is. https://www.freedesktop.org/software/systemd/man/latest/systemd.network.html
 * https://networkmanager.dev/docs/api/latest/nm-settings-keyfile.html
 */
function files({ network, mac, dhcp, ...nic }: GuestNic): string[] {
  const address = dhcp ? undefined : nic.address
  const networkd = [
    '[Match]',
    `MACAddress=${mac}`,
    '[Link]',
    // A network of Pis leads nowhere: who waits to be online must not wait for it.
    'RequiredForOnline=no',
    '[Network]',
    ...(address ? [`Address=${address}`, 'DHCP=no'] : ['DHCP=yes']),
  ]
  const manager = [
    '[connection]',
    `id=${network}`,
    'type=ethernet',
    '[ethernet]',
    `mac-address=${mac.toUpperCase()}`,
    '[ipv4]',
    ...(address ? ['method=manual', `address1=${address}`] : ['method=auto']),
    'never-default=true',
  ]
  const write = (dir: string, file: string, lines: string[], mode: string) =>
    `[ -d ${dir} ] && (umask ${mode}; printf '%s\\n' ${lines.map((line) => quote(line)).join(' ')} > ${dir}/${file})`
  return [
    write('/etc/systemd/network', `05-${network}.network`, networkd, '022'),
    write('/etc/NetworkManager/system-connections', `${network}.nmconnection`, manager, '077'),
  ]
}
