import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest-raspi'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrO5cN0mH1q8yJ4mZ0m1x7uE4nN0kz6Yy0m5s1q2w3e'

// What a playbook would leave behind, of every kind that there is a matcher for.
const setUp = `set -e
install -m 0640 /dev/null /etc/app.conf
printf 'listen 8080\\nlog off\\n' > /etc/app.conf
ln -sfn app.conf /etc/app.link
groupadd --gid 2000 app
useradd --uid 2001 --create-home --shell /bin/sh --groups app deploy
install -d -o deploy /home/deploy/.ssh
echo '${key} me@desk' > /home/deploy/.ssh/authorized_keys
mkdir -p /mnt/ram /srv/www /boot/firmware /etc/cron.d /etc/apt/sources.list.d
mount -t tmpfs -o noatime none /mnt/ram
echo 'Hello' > /srv/www/index.html
echo 'dtparam=i2c_arm=on' >> /boot/firmware/config.txt
printf '#Ansible: nightly\\n0 3 * * * root /usr/local/bin/backup\\n' > /etc/cron.d/backup
echo 'deb [signed-by=/etc/apt/keyrings/app.asc] https://apt.pi.test/debian stable main' > /etc/apt/sources.list.d/app.list
echo boreas > /etc/hostname && hostname boreas
ln -sfn /usr/share/zoneinfo/Etc/GMT /etc/localtime
sysctl -q -w vm.swappiness=7
cd /etc/systemd/system
printf '[Service]\\nExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 -d /srv/www 8080\\n[Install]\\nWantedBy=multi-user.target\\n' > web.service
printf '[Service]\\nType=oneshot\\nExecStart=/bin/sh -c "echo no luck; exit 3"\\n' > broken.service
printf '[Timer]\\nOnCalendar=*-*-* 03:00:00\\nUnit=broken.service\\n[Install]\\nWantedBy=timers.target\\n' > nightly.timer
systemctl daemon-reload
systemctl enable -q --now web.service nightly.timer
systemctl mask -q systemd-pstore.service
systemctl start broken.service || true
logger -p user.err -t app 'out of paper'
until python3 -c 'import urllib.request as u; u.urlopen("http://127.0.0.1:8080/")' 2>/dev/null; do sleep 1; done
`

type Pi = Parameters<typeof expect>[0]
type Look = (pi: Pi) => Promise<unknown>

/** A matcher that passes, one that fails, and what the latter says to have received. */
const table: [name: string, passes: Look, fails: Look, received: string][] = [
  [
    'a file',
    (pi) =>
      expect(pi).toHaveFile('/etc/app.conf', { mode: '0640', owner: 'root', group: 0, contains: 'log off' }),
    (pi) => expect(pi).toHaveFile('/etc/app.conf', { mode: '0644', content: /log on/ }),
    'mode 0640, content of 20 bytes',
  ],
  [
    'a link',
    (pi) => expect(pi).toHaveFile('/etc/app.link', { type: 'link', target: 'app.conf' }),
    (pi) => expect(pi).not.toHaveFile('/etc/app.link'),
    'a link to app.conf, mode 0640, owner root, group root, 20 bytes',
  ],
  [
    'a directory',
    (pi) => expect(pi).toHaveFile('/home/deploy', { type: 'directory', owner: 'deploy' }),
    (pi) => expect(pi).toHaveFile('/home/deploy/app'),
    'no such file',
  ],
  [
    'a service',
    (pi) => expect(pi).toHaveService('web', { running: true, enabled: true, masked: false }),
    (pi) => expect(pi).toHaveService('broken', { running: true, enabled: true }),
    'not running (failed), not enabled (static)',
  ],
  [
    'a masked service',
    (pi) => expect(pi).toHaveService('systemd-pstore', { masked: true, enabled: false }),
    (pi) => expect(pi).toHaveService('no-such-service'),
    'no such service',
  ],
  [
    'no failed units',
    (pi) => expect(pi).toHaveNoFailedUnits({ except: ['broken.service'] }),
    (pi) => expect(pi).toHaveNoFailedUnits(),
    'broken.service',
  ],
  [
    'a timer',
    (pi) => expect(pi).toHaveTimer('nightly', { active: true, enabled: true, unit: 'broken.service' }),
    (pi) => expect(pi).toHaveTimer('nightly', { calendar: '*-*-* 04:00:00' }),
    'calendar *-*-* 03:00:00',
  ],
  [
    'a package',
    (pi) => expect(pi).toHavePackage('python3', { version: '>=3.9 <4' }),
    (pi) => expect(pi).toHavePackage('no-such-package', { version: '1' }),
    'not installed',
  ],
  [
    'a listener',
    (pi) => expect(pi).toListenOn(8080, { address: '127.0.0.1', process: /python3/ }),
    (pi) => expect(pi).toListenOn(8080, { protocol: 'udp' }),
    'nothing listens on udp port 8080',
  ],
  [
    'a user',
    (pi) => expect(pi).toHaveUser('deploy', { uid: 2001, groups: ['app'], shell: '/bin/sh', keys: key }),
    (pi) => expect(pi).toHaveUser('deploy', { home: '/srv' }),
    'home /home/deploy',
  ],
  [
    'a group',
    (pi) => expect(pi).toHaveGroup('app', { gid: 2000, members: ['deploy'] }),
    (pi) => expect(pi).toHaveGroup('app', { members: ['root'] }),
    'members deploy',
  ],
  [
    'a mount',
    (pi) => expect(pi).toHaveMount('/mnt/ram', { type: 'tmpfs', options: ['noatime'], persistent: false }),
    (pi) => expect(pi).toHaveMount('/mnt'),
    'nothing mounted',
  ],
  [
    'a kernel module',
    (pi) => expect(pi).toHaveKernelModule('ext4'),
    (pi) => expect(pi).toHaveKernelModule('no-such-module'),
    'no such module',
  ],
  [
    'a kernel parameter',
    (pi) => expect(pi).toHaveKernelParameter('rootwait'),
    (pi) => expect(pi).toHaveKernelParameter('cgroup_enable=pids'),
    '',
  ],
  [
    'a sysctl',
    (pi) => expect(pi).toHaveSysctl('vm.swappiness', 7),
    (pi) => expect(pi).toHaveSysctl('vm.swappiness', 60),
    'vm.swappiness 7',
  ],
  [
    'a boot configuration',
    (pi) => expect(pi).toHaveBootConfig('dtparam=i2c_arm=on'),
    (pi) => expect(pi).toHaveBootConfig('dtparam=i2c_arm=off'),
    'dtparam=i2c_arm=on in section all',
  ],
  [
    'a cron job',
    (pi) => expect(pi).toHaveCronJob('/usr/local/bin/backup', { schedule: '0 3 * * *', name: 'nightly' }),
    (pi) => expect(pi).toHaveCronJob('/usr/local/bin/backup', { user: 'deploy' }),
    'user root',
  ],
  [
    'a host name',
    (pi) => expect(pi).toHaveHostname('boreas'),
    (pi) => expect(pi).toHaveHostname('notos'),
    'boreas',
  ],
  [
    'a time zone',
    (pi) => expect(pi).toHaveTimezone('Etc/GMT'),
    (pi) => expect(pi).toHaveTimezone('Europe/Athens'),
    'Etc/GMT',
  ],
  [
    'a locale',
    (pi) => expect(pi).toHaveLocale('C.UTF-8'),
    (pi) => expect(pi).toHaveLocale('tlh_QO.UTF-8'),
    'no such locale',
  ],
  [
    'a source of packages',
    (pi) =>
      expect(pi).toHaveAptSource('https://apt.pi.test/debian', { suite: 'stable', signedBy: /app\.asc$/ }),
    (pi) => expect(pi).toHaveAptSource('https://apt.pi.test/debian', { components: ['contrib'] }),
    'components main',
  ],
  [
    'a clean journal',
    (pi) => expect(pi).toHaveCleanJournal({ priority: 'emerg' }),
    (pi) => expect(pi).toHaveCleanJournal({ priority: 'err', except: [/^(?!app: )/] }),
    '1 entry',
  ],
  [
    'an HTTP answer',
    (pi) =>
      expect(pi).toAnswerHttp('http://127.0.0.1:8080/', { body: 'Hello\n', headers: { Server: /Python/ } }),
    (pi) => expect(pi).toAnswerHttp('http://127.0.0.1:8080/no-such-page'),
    'status 404',
  ],
  [
    'no HTTP answer',
    (pi) => expect(pi).not.toAnswerHttp('http://127.0.0.1:8081/'),
    (pi) => expect(pi).toAnswerHttp('http://127.0.0.1:8081/', { timeout: 5_000 }),
    'connection refused',
  ],
]

test('every matcher sees what is there on a Pi, and tells what is not', async ({ pi }) => {
  await pi.run('sh -s', { sudo: true, input: setUp })
  const answers = await Promise.all(
    table.map(([name, passes, fails, received]) =>
      Promise.all([name, messageOf(passes(pi)), messageOf(fails(pi)), received]),
    ),
  )
  for (const [name, passed, failed, received] of answers) {
    expect.soft(passed, name).toBe('passed')
    expect.soft(failed, name).toContain(`\nReceived:  ${received}`)
  }
})

test('a matcher shows why a service failed', async ({ pi }) => {
  await pi.run('sh -s', {
    sudo: true,
    input: "systemd-run -q --unit=unlucky sh -c 'echo no luck; exit 3'; systemctl is-active unlucky; sleep 2",
    reject: false,
  })
  expect(await messageOf(expect(pi).toHaveService('unlucky', { running: true }))).toMatch(
    /unlucky\.service failed \(exit code 3\), its last lines:\n(.*\n)*? {2}no luck\n/,
  )
})

async function messageOf(assertion: Promise<unknown>): Promise<string> {
  try {
    await assertion
    return 'passed'
  } catch (error) {
    return stripVTControlCharacters((error as Error).message)
  }
}
