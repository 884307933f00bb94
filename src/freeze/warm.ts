import type { Board } from '../machine/boards.ts'

/** What udev will want for the NIC. A Pi's is only read: loaded before cdc_ether has the NIC, it would take it and not work. */
const nicModules: Record<Board['parts'], string> = {
  raspi: 'cat $(modinfo -n cdc_subset) > /dev/null',
  virtio: 'modprobe virtio_net',
}

/** What would start journald again while its files are copied. */
const journalSockets =
  'sockets="systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket"'

/**
 * The script that keeps the logs as they are after the boot, before anything is done that they would tell of.
 * {@link warmScript} puts them back.
 */
export const keepLogsScript = `
w=/run/vitest-raspi; mkdir -m 755 $w; cd $w
for f in wtmp btmp lastlog; do [ -e /var/log/$f ] && cp -a /var/log/$f .; done
${journalSockets}
systemctl stop $sockets systemd-journald.service
for d in /run/log/journal /var/log/journal; do [ -d $d ] && mkdir -p saved$d && cp -a $d/. saved$d; done
systemctl start systemd-journald.service
`

/**
 * The script that touches, in a Pi about to be frozen, what every test needs first, so that it is in the page cache of
 * every thawed copy: sshd, PAM, sudo, Python with what Ansible's modules import. It logs in over the loopback by an sshd
 * of its own, and leaves no trace of it: keys, logs and login records are as after the boot.
 *
 * Two things are left undone, which {@link file://./identity.ts} does in each thawed copy. The user lingers: logind
 * would end their manager seconds after the thaw, and the first login would wait until it is down and up again. And udev
 * is told to wait: its rules take an emulated core seconds for a new NIC, and nobody needs them to use it.
 */
export function warmScript(user: string, { parts }: Pick<Board, 'parts'>): string {
  return `
w=/run/vitest-raspi; cd $w
${journalSockets}
mkdir -p ${lingerDir}; [ -e ${lingerDir}/${user} ] || : > ${lingerDir}/${user} > ${lingersForUs}
ssh-keygen -q -t ed25519 -N '' -f key; cp key.pub authorized; chmod 644 authorized
/usr/sbin/sshd -p 2222 -o ListenAddress=127.0.0.1 -o AuthorizedKeysFile=$w/authorized -o PidFile=$w/pid -o StrictModes=no
ip link set lo up
login="ssh -n -p 2222 -i key -o KexAlgorithms=curve25519-sha256 -o UserKnownHostsFile=$w/known -o StrictHostKeyChecking=no ${user}@127.0.0.1"
for round in 1 2; do
  $login 'sudo -n true; python3 -c "import json, ast, zipfile, base64, runpy, subprocess, shlex, tempfile, platform, pwd, grp, glob, re, logging, selectors, locale"; cat /etc/os-release > /dev/null; systemctl is-system-running'
done
kill $(cat pid)
${nicModules[parts]}
perl -e 1; mapfile -t routes < /proc/net/route; ip -batch - < /dev/null; ip -brief address > /dev/null
getent passwd ${user} > /dev/null; id ${user} > /dev/null
systemctl stop $sockets systemd-journald.service
for d in /run/log/journal /var/log/journal; do [ -d saved$d ] && find $d -mindepth 1 -delete && cp -a saved$d/. $d; done
systemctl start systemd-journald.service
for f in wtmp btmp lastlog; do [ -e $f ] && cat $f > /var/log/$f; done
# sudo greets each user once by this file.
rm -f ~${user}/.sudo_as_admin_successful
cd /; rm -rf $w
udevadm control --start-exec-queue; udevadm settle; udevadm control --stop-exec-queue
sync
`
}

/** Is there where the user lingers for us, and not by the user's own wish. */
export const lingersForUs = '/run/vitest-raspi-lingers'

/** Where logind looks for the users whose manager goes on without a session, loginctl(1). */
export const lingerDir = '/var/lib/systemd/linger'
